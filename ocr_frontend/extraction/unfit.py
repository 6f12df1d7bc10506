"""What cannot be a field's value: a text of another form, behind another label, or a line that another field has.

All become null before the rules that fill empty fields from their labels; what the model said stays an alternative.
"""

from collections import defaultdict

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import Candidate, Elements, fewer, field_by_field, numbers_of
from ocr_frontend.extraction.grounding import has_one_value, lines_with
from ocr_frontend.llm.answers import Element, line_numbers


@field_by_field
def not_of_its_form(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """Null instead of a text in which the field's type finds nothing: a number for a name, a name for a date, a card's
    number for a damaged date."""
    element = elements.get(spec.key)
    numbers = numbers_of(element, page)
    text = " ".join(page.text_of(n, spec.key) for n in numbers) if numbers else _written(element)
    found = spec.type.find(text) if text else None
    other = found is not None and not found.exact and any(page.fitting(n) - {spec.key} for n in numbers)
    return Candidate(None, "not_of_its_form") if text and (found is None or other) else None


@field_by_field
def behind_another_label(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """Null instead of free text that stands nowhere but behind another field's label: `MOTHER: ABENA` is no father."""
    element = elements.get(spec.key)
    numbers, text = numbers_of(element, page), _written(element)
    if not spec.type.free or not (len(numbers) == 1 or text):
        return None
    lines = numbers or lines_with(text, spec, page)
    behind = (page.readings[n].rest and page.labels_in(n) and spec.key not in page.labels_in(n) for n in lines)
    return Candidate(None, "behind_another_label") if lines and all(behind) else None


def taken_twice(elements: Elements, page: LabelledPage) -> dict[str, Candidate]:
    """Without the lines that another field has: such a line holds one value, and only the other's label claims it."""
    fields_of = defaultdict[int, list[str]](list)
    for spec in page.spec.fields:
        for line in numbers_of(elements.get(spec.key), page):
            if has_one_value(spec, line, page):
                fields_of[line].append(spec.key)
    lost = defaultdict[str, set[int]](set)
    for line, keys in fields_of.items():
        owners = page.owners(line) & set(keys)
        if len(keys) > 1 and len(owners) == 1:
            for key in set(keys) - owners:
                lost[key].add(line)
    found = ((key, _without(numbers_of(elements.get(key), page), lines)) for key, lines in lost.items())
    return {key: candidate for key, candidate in found if candidate is not None}


def _without(numbers: tuple[int, ...], lost: set[int]) -> Candidate | None:
    return fewer(numbers, [number for number in numbers if number not in lost], "taken_twice")


def _written(element: Element) -> str:
    """A value that the model wrote out; empty for line numbers and null."""
    return "" if element is None or line_numbers(element) else str(element).strip()
