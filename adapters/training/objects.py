"""Answers that are one JSON object: what the OCR lines say of each field, in the form that its type has.

Compact, keys in the document's order, as the front's grammar admits it; a height is a number with two decimals.
"""

import json
import re
from collections.abc import Sequence

from adapters.data.documents import FieldType, forms_in
from adapters.training.targets import Target
from ocr_frontend.documents.spec import FieldSpec

MOST = 80  # characters of one value: the front's grammar ends a string there
_DIGITS = str.maketrans("OoQDIl|SBZ", "0000111582")


def member(key: str, kind: FieldType, target: Target, lines: Sequence[str]) -> str:
    """`"key":value` as the answer has it."""
    return f"{json.dumps(key, ensure_ascii=False)}:{_json(kind, value(kind, target, lines))}"


def own_member(spec: FieldSpec, target: Target, lines: Sequence[str]) -> str:
    """The same for a field of a document of one's own: the value that its type finds, a number where it is one."""
    text = _text(target, lines)
    found = None if text is None else spec.type.find(text)
    written = None if found is None else found.value[:MOST] if isinstance(found.value, str) else found.value
    return f"{json.dumps(spec.key, ensure_ascii=False)}:{json.dumps(written, ensure_ascii=False)}"


def _text(target: Target, lines: Sequence[str]) -> str | None:
    """What the target's lines say, as it stands."""
    if target is None or isinstance(target, str):
        return target
    return lines[target] if isinstance(target, int) else " ".join(lines[index] for index in target)


def value(kind: FieldType, target: Target, lines: Sequence[str]) -> str | None:
    """What the target's lines say, in the field's normal form; as it stands where it has not that form."""
    text = _text(target, lines)
    if text is None:
        return None
    forms = forms_in(kind, text)
    return _normal(kind, forms[0] if forms else text)[:MOST]


def _normal(kind: FieldType, text: str) -> str:
    if kind == "date":
        digits = re.sub(r"\D", "", text.translate(_DIGITS))
        return f"{digits[:2]}.{digits[2:4]}.{digits[4:]}" if len(digits) == 8 else text
    if kind == "height":
        digits = re.sub(r"\D", "", text.translate(_DIGITS))
        return f"{digits[0]}.{digits[1:]}" if len(digits) == 3 else text
    if kind.startswith("digits"):
        return text.translate(_DIGITS)
    if kind == "nic":
        return text[:2] + text[2:].translate(_DIGITS)
    return text


def _json(kind: FieldType, text: str | None) -> str:
    if kind == "height" and text is not None and re.fullmatch(r"[0-2]\.\d\d", text):
        return text
    if kind == "sex" and text not in ("M", "F"):
        return "null"
    return json.dumps(text, ensure_ascii=False)
