"""What type a field's values seem to have."""

from collections.abc import Sequence
from typing import Any

from ocr_frontend.documents.types import make_type

_MOST = 0.9  # of the values: a type that fewer of them have is not theirs
_SHAPES = ("dmy", "ymd", "dmy2", "dMy")
_CHOICES = 4  # different values at most, seen three times each on average
_SHORT = 12  # characters of one of a few values
Given = str | dict[str, Any]


def type_of(values: Sequence[str]) -> Given:
    """As a document file says it; `text` where nothing stricter holds."""
    if not values:
        return "text"
    shapes = [shape for shape in _SHAPES if any(_is({"date": {"shapes": [shape]}}, value) for value in values)]
    candidates: list[Given] = []
    if shapes:
        candidates.append({"date": {"shapes": shapes, "as_printed": True}})
    lengths = {len(value) for value in values}
    if len(lengths) == 1 and all(value.isdecimal() for value in values):
        candidates.append({"digits": {"count": lengths.pop()}})
    different = sorted(set(values))
    if len(different) <= _CHOICES and len(values) >= 3 * len(different) and all(len(v) <= _SHORT for v in different):
        candidates.append({"choice": {"values": different}})
    candidates.append("amount")
    return next((kind for kind in candidates if _share(kind, values) >= _MOST), "text")


def _share(kind: Given, values: Sequence[str]) -> float:
    return sum(_is(kind, value) for value in values) / len(values)


def _is(kind: Given, value: str) -> bool:
    """Whether the type reads the whole value as it is wanted (a date in whatever form)."""
    made = make_type(kind)
    found = made.find(value)
    if found is None or not found.exact:
        return False
    return made.normal(found.value) is not None if made.name == "date" else found.value == value
