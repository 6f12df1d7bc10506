"""A request's JSON body, read by ourselves: every way in which it can be wrong ends in one sentence."""

import json
import re
from typing import Any

from starlette.requests import Request

from server.errors import BadRequest, UnsupportedMedia

# An escaped half of a surrogate pair; only a body that holds one can decode to text that is not Unicode.
_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")
_DEEPEST = 100


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises UnsupportedMedia, BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMedia("Send the body as JSON, with 'Content-Type: application/json'.")
    raw = await request.body()
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except RecursionError:
        raise BadRequest("The body is nested too deeply.", code="invalid_request") from None
    except ValueError:  # not JSON, or not UTF-8
        raise BadRequest("The body is not JSON.", code="invalid_request") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.", code="invalid_request")
    for name, value in body.items():
        _check_depth(str(name), value)
    if _ESCAPED.search(raw):
        for name, value in body.items():
            _check_unicode(name, value)
    return body


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _check_depth(name: str, value: Any) -> None:
    """Without recursion: a list in a list in a list …"""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise BadRequest(f"{_shown(name)}: is nested too deeply.", param=_shown(name), code="invalid_request")
        level = [inner for one in level if isinstance(one, dict | list) for inner in _inside(one)]


def _inside(value: "dict[str, Any] | list[Any]") -> list[Any]:
    children = value.values() if isinstance(value, dict) else value
    return [child for child in children if isinstance(child, dict | list)]


def _check_unicode(name: str, value: Any) -> None:
    try:
        json.dumps({name: value}, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = f"{_shown(name)}: holds half of a surrogate pair, which is no text."
        raise BadRequest(text, param=_shown(name), code="invalid_request") from None


def _shown(name: str) -> str:
    """A field's name as far as it can be repeated: plain and short."""
    return name if re.fullmatch(r"[A-Za-z0-9_]{1,40}", name) else "a field"
