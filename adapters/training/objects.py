"""Answers that are one JSON object: what the OCR lines say of each field, in the form that its type has.

Compact, keys in the document's order, as the front's grammar admits it; a height is a number with two decimals.
"""

import json
import re
from collections.abc import Sequence

from adapters.data.documents import FieldType, forms_in
from adapters.training.targets import Target

MOST = 80  # characters of one value: the front's grammar ends a string there
_DIGITS = str.maketrans("OoQDIl|SBZ", "0000111582")


def member(key: str, kind: FieldType, target: Target, lines: Sequence[str]) -> str:
    """`"key":value` as the answer has it."""
    return f"{json.dumps(key, ensure_ascii=False)}:{_json(kind, value(kind, target, lines))}"


def value(kind: FieldType, target: Target, lines: Sequence[str]) -> str | None:
    """What the target's lines say, in the field's normal form; as it stands where it has not that form."""
    if target is None:
        return None
    if isinstance(target, int):
        text = lines[target]
    else:
        text = target if isinstance(target, str) else " ".join(lines[index] for index in target)
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
