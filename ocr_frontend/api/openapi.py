"""What FastAPI cannot see by itself: the forms, which are received by hand, and the errors."""

from typing import Any

from ocr_frontend.api.given_lines import FARTHEST, MOST_CHARACTERS, MOST_LINES
from ocr_frontend.bodies.include import PARTS
from ocr_frontend.documents.registry import AUTO, builtin
from ocr_frontend.extraction.two_sided import SIDES, version_of

_ERROR = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["code", "message", "request_id"],
                    "properties": {name: {"type": "string"} for name in ("code", "message", "request_id")},
                }
            },
        }
    }
}
_MEANINGS = {
    400: "the form or the image cannot be read",
    401: "a key is needed",
    403: "the key may not do this",
    413: "too many bytes or pixels",
    415: "not an image",
    422: "unknown document or model, or no text found",
    429: "a limit of the key is reached; `Retry-After` says when to try again",
    502: "the model's answer has not the form asked for",
    503: "busy, or the model server is away; `Retry-After` says when to try again",
    504: "a deadline passed",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": _ERROR} for status, meaning in _MEANINGS.items()
}


def _form(required: tuple[str, ...], properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": list(required), "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


_FILE = {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, TIFF, BMP, PDF or HEIC"}
_DOCUMENT = {
    "type": "string",
    "default": AUTO,
    "examples": [AUTO, *builtin().readable],
    "description": "a document of `GET /v1/documents`",
}
_MODEL = {"type": "string", "description": "a base model, an alias or an exact revision; `cni` unless configured"}

_PAGE = {"type": "integer", "minimum": 1, "default": 1, "description": "of a file with several pages"}
_CARD = {
    "type": "integer",
    "minimum": 1,
    "description": "of a picture with several cards, in reading order; else the first that `document` names, or that "
    "is known",
}

EXTRACT_FORM = _form(
    ("image",), {"image": _FILE, "document": _DOCUMENT, "model": _MODEL, "pages": _PAGE, "card": _CARD}
)
JOB_FORM = _form(
    ("image",),
    {
        "image": {"type": "array", "items": _FILE},
        "document": _DOCUMENT,
        "model": _MODEL,
        "include": {
            "type": "string",
            "description": f"some of {', '.join(PARTS)}, separated by commas; without it all",
        },
        "pages": {"type": "string", "default": "all", "description": "`all`, or numbers and ranges: `1,3-5`"},
        "retention": {"type": "number", "minimum": 1, "description": "seconds that results are kept once it is done"},
        "store": {"type": "boolean", "default": True, "description": "false: results go when they were fetched"},
        "callback_url": {"type": "string", "format": "uri", "description": "told with a signature once it is done"},
    },
)
_VERSIONS = [version_of(family) for family in builtin().families()]
_VERSION = {"type": "string", "description": "the documents' `family` in `GET /v1/documents`, or what that ends in"}
CARD_FORM = _form(
    (),
    {
        "image": _FILE
        | {"description": "in place of the two parts: a file of two pages, recto then verso, or a picture of both"},
        "recto": _FILE,
        "verso": _FILE,
        "model": _MODEL,
        "version": _VERSION | {"default": AUTO, "examples": [AUTO, *_VERSIONS]},
    },
)
UPLOAD_FORM = _form(
    ("file",),
    {
        "file": _FILE,
        "model": _MODEL,
        "version": _VERSION | {"default": _VERSIONS[0], "examples": _VERSIONS},
        "side": {"type": "string", "enum": list(SIDES), "default": SIDES[0]},
        "pages": _PAGE,
    },
)

_CORNER = {
    "type": "array",
    "minItems": 2,
    "maxItems": 2,
    "items": {"type": "number", "minimum": -FARTHEST, "maximum": FARTHEST},
}
_LINE = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "maxLength": MOST_CHARACTERS},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
        "box": {
            "type": "array",
            "minItems": 4,
            "maxItems": 4,
            "items": _CORNER,
            "description": "corners [x, y] in pixels, clockwise from the text's top left; of every line, or of none",
        },
    },
}
LINES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["lines"],
                    "additionalProperties": False,
                    "properties": {
                        "document": _DOCUMENT,
                        "model": _MODEL,
                        "card": _CARD,
                        "lines": {
                            "type": "array",
                            "maxItems": MOST_LINES,
                            "items": _LINE,
                            "description": "in reading order, which is kept",
                        },
                        "size": {
                            "type": "array",
                            "minItems": 2,
                            "maxItems": 2,
                            "items": {"type": "number", "minimum": 1, "maximum": FARTHEST},
                            "description": "[width, height] of the picture; without it, around the boxes",
                        },
                    },
                }
            }
        },
    }
}
