"""The prompt contract that our own adapters are trained on (docs/decisions/0001)."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from adapters.data.documents import DOCUMENTS, DocumentName, FieldType
from adapters.registry.manifest import DocumentPrompt, PromptContract

# A line's number, the numbers of the lines that hold the value together, the value itself, or null.
Target = int | tuple[int, ...] | str | None

# ChatML, which the SmolLM2 and Qwen3 families share.
_PREFIX = "<|im_start|>user\n{title}, OCR lines and their numbers. JSON array of the lines of: {fields}\n"
_SUFFIX = "<|im_end|>\n<|im_start|>assistant\n"
_LINE = "{text} {index}\n"
_CONTROL = re.compile(r"<\|.*?\|>")

_PATTERNS: dict[FieldType, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "date": {"type": ["string", "null"], "pattern": r"^\d{2}\.\d{2}\.\d{4}$"},
    "sex": {"enum": ["M", "F", None]},
    "height": {"type": ["number", "null"], "minimum": 0.3, "maximum": 2.8},
    "digits:6": {"type": ["string", "null"], "pattern": r"^\d{6}$"},
    "digits:9": {"type": ["string", "null"], "pattern": r"^\d{9}$"},
    "digits:17": {"type": ["string", "null"], "pattern": r"^\d{17}$"},
    "nic": {"type": ["string", "null"], "pattern": r"^[A-Z]{2}\d{8}$"},
}


def schema(document: DocumentName) -> dict[str, Any]:
    """JSON schema of a document's resolved fields, in answer order."""
    fields = DOCUMENTS[document]
    return {
        "type": "object",
        "properties": {field.key: _PATTERNS[field.type] for field in fields},
        "required": [field.key for field in fields],
        "additionalProperties": False,
    }


def contract(documents: Iterable[DocumentName]) -> PromptContract:
    """The contract for these documents, as it goes into the manifest."""
    return PromptContract(
        answer="lines",
        line=_LINE,
        suffix=_SUFFIX,
        documents={name: _document(name) for name in documents},
    )


def _document(name: DocumentName) -> DocumentPrompt:
    keys = [field.key for field in DOCUMENTS[name]]
    prefix = _PREFIX.format(title=name.upper().replace("-", " "), fields=", ".join(keys))
    return DocumentPrompt(prefix=prefix, fields=keys, schema=schema(name))


def visible(text: str) -> str:
    """A line as the prompt shows it: white space folded, no control tokens of the chat format."""
    return " ".join(_CONTROL.sub(" ", text).split())


def render(prompts: PromptContract, document: str, lines: Sequence[str]) -> str:
    """The whole prompt for the lines' texts, none of which may be blank."""
    body = "".join(
        prompts.line.replace("{index}", str(index)).replace("{text}", text) for index, text in enumerate(lines)
    )
    return prompts.documents[document].prefix + body + prompts.suffix


def answer(targets: Sequence[Target]) -> str:
    """The compact JSON array that the adapter is to answer with, without spaces."""
    return f"[{','.join(map(_element, targets))}]"


def field_spans(targets: Sequence[Target]) -> list[tuple[int, int]]:
    """For each field the half-open range of `answer`'s characters that say it, with the comma or bracket after it."""
    spans, at = [], 1
    for target in targets:
        end = at + len(_element(target)) + 1
        spans.append((at, end))
        at = end
    return spans


def _element(target: Target) -> str:
    return json.dumps(target, ensure_ascii=False, separators=(",", ":"))
