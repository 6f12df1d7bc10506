"""Rules about the lines that the model named: each once, and in the order in which people read them."""

from functools import cmp_to_key

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import Candidate, Elements, fewer, field_by_field, numbers_of
from ocr_frontend.ocr.geometry import Place

_BELOW, _LEVEL = 0.6, 0.45  # heights of a line between the middles of two that stand below, and beside, each other


@field_by_field
def named_twice(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """A line says once what it says."""
    numbers = numbers_of(elements.get(spec.key), page)
    return fewer(numbers, list(dict.fromkeys(numbers)), "named_twice")


@field_by_field
def out_of_order(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """A line that stands below another one, or right of it in its row, is read after it."""
    numbers = numbers_of(elements.get(spec.key), page)

    def order(one: int, other: int) -> int:
        return _order(page.places[one], page.places[other])

    read = tuple(sorted(numbers, key=cmp_to_key(order)))
    return Candidate(read, "out_of_order") if read != numbers else None


def _order(one: Place, other: Place) -> int:
    """Below 0 where `one` is read before the other; 0 where their places do not say."""
    below = one.below(other)
    if abs(below) >= _BELOW:
        return (1 if below > 0 else -1) if one.overlaps(other) else 0
    if abs(below) <= _LEVEL and not one.overlaps(other):
        return 1 if one.left > other.left else -1
    return 0
