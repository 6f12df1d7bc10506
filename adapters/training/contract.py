"""The prompt contract that our own adapters are trained on (docs/decisions/0001)."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from adapters.data.documents import DIGITS, DOCUMENTS, DocumentName, FieldType
from adapters.registry.manifest import DocumentPrompt, PromptContract
from adapters.training.objects import member, own_member
from adapters.training.targets import Target
from ocr_frontend.documents.spec import DocumentSpec, parse_spec

Answer = Literal["lines", "object"]

# ChatML, which the SmolLM2 and Qwen3 families share.
_PREFIX = "<|im_start|>user\n{title}, OCR lines and their numbers. JSON array of the lines of: {fields}\n"
_SUFFIX = "<|im_end|>\n<|im_start|>assistant\n"
_LINE = "{text} {index}\n"
_OBJECT_PREFIX = "<|im_start|>user\n{title}, OCR lines. JSON object of: {fields}\n"
_OBJECT_LINE = "{text}\n"
# What the template of a base that thinks puts before an answer without a thought (Qwen3, enable_thinking=False).
_NO_THOUGHT = "<think>\n\n</think>\n\n"
# As the front breaks them up (ocr_frontend/llm/prompt.py); a test holds the two together.
_CONTROL = re.compile(r"<(?=\|)|(?<=\|)(?=>)|<(?=/?[A-Za-z_]+\d*>)|\[(?=/?[A-Z_]+\])")
_LONGEST = 200  # characters of a line

_PATTERNS: dict[FieldType, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "date": {"type": ["string", "null"], "pattern": r"^\d{2}\.\d{2}\.\d{4}$"},
    "sex": {"enum": ["M", "F", None]},
    "height": {"type": ["number", "null"], "minimum": 0.3, "maximum": 2.8},
    **{kind: {"type": ["string", "null"], "pattern": rf"^\d{{{count}}}$"} for kind, count in DIGITS.items()},
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


def contract(
    documents: Iterable[DocumentName],
    answer: Answer = "lines",
    *,
    no_thought: bool = False,
    own: Mapping[str, Any] | None = None,
) -> PromptContract:
    """The contract for these documents, as it goes into the manifest. `no_thought`: the base would think first.

    own: a document file that no front need know; it travels in the contract, and is then the only document.
    """
    return PromptContract(
        answer=answer,
        line=_LINE if answer == "lines" else _OBJECT_LINE,
        suffix=_SUFFIX + (_NO_THOUGHT if no_thought else ""),
        documents=_own(own, answer) if own is not None else {name: _document(name, answer) for name in documents},
    )


def _document(name: DocumentName, answer: Answer) -> DocumentPrompt:
    keys = [field.key for field in DOCUMENTS[name]]
    return DocumentPrompt(prefix=_prefix(name, keys, answer), fields=keys, schema=schema(name))


def _own(own: Mapping[str, Any], answer: Answer) -> dict[str, DocumentPrompt]:
    """The schema is left to the front, which makes the grammar of an object from the document file."""
    spec = parse_spec(own)
    keys = list(spec.keys)
    return {spec.name: DocumentPrompt(prefix=_prefix(spec.name, keys, answer), fields=keys, spec=dict(own))}


def _prefix(name: str, keys: Sequence[str], answer: Answer) -> str:
    template = _PREFIX if answer == "lines" else _OBJECT_PREFIX
    return template.format(title=name.upper().replace("-", " "), fields=", ".join(keys))


def visible(text: str) -> str:
    """A line as the prompt shows it: white space folded, control tokens of the chat format broken up, cut at 200."""
    return _CONTROL.sub(lambda match: f"{match.group()} ", " ".join(text.split()))[:_LONGEST]


def render(prompts: PromptContract, document: str, lines: Sequence[str]) -> str:
    """The whole prompt for the lines' texts, none of which may be blank."""
    body = "".join(
        prompts.line.replace("{index}", str(index)).replace("{text}", text) for index, text in enumerate(lines)
    )
    return prompts.documents[document].prefix + body + prompts.suffix


def pieces(
    answer: Answer, document: str, lines: Sequence[str], targets: Sequence[Target], own: DocumentSpec | None = None
) -> list[str]:
    """What the answer says of each field: an element of the array, or a member of the object."""
    if answer == "lines":
        return [_element(target) for target in targets]
    if own is not None:
        return [own_member(spec, target, lines) for spec, target in zip(own.fields, targets, strict=True)]
    fields = zip(DOCUMENTS[cast(DocumentName, document)], targets, strict=True)
    return [member(field.key, field.type, target, lines) for field, target in fields]


def joined(answer: Answer, parts: Sequence[str]) -> str:
    """The compact JSON that the adapter is to answer with, without spaces."""
    body = ",".join(parts)
    return f"[{body}]" if answer == "lines" else f"{{{body}}}"


def spans(parts: Sequence[str]) -> list[tuple[int, int]]:
    """For each field the half-open range of the answer's characters that say it, with the comma or bracket after it."""
    found, at = [], 1
    for part in parts:
        end = at + len(part) + 1
        found.append((at, end))
        at = end
    return found


def _element(target: Target) -> str:
    return json.dumps(target, ensure_ascii=False, separators=(",", ":"))
