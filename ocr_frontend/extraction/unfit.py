"""What cannot be a field's value: a text of another form, or a line that another field has for itself.

Both become null before the rules that fill empty fields from their labels; what the model said stays an alternative.
"""

from collections import defaultdict

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import Candidate, Elements, field_by_field, numbers_of
from ocr_frontend.extraction.grounding import has_one_value
from ocr_frontend.llm.answers import Element, line_numbers


@field_by_field
def not_of_its_form(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """Null instead of a text in which the field's type finds nothing: a number for a name, a name for a date."""
    element = elements.get(spec.key)
    numbers = numbers_of(element, page)
    text = " ".join(page.text_of(n, spec.key) for n in numbers) if numbers else _written(element)
    return Candidate(None, "not_of_its_form") if text and spec.type.find(text) is None else None


def taken_twice(elements: Elements, page: LabelledPage) -> dict[str, Candidate]:
    """Null for a field that has another one's line: the line holds one value, and only the other's label claims it."""
    fields_of = defaultdict[int, list[str]](list)
    for spec in page.spec.fields:
        line = _only_line(spec, elements.get(spec.key), page)
        if line is not None:
            fields_of[line].append(spec.key)
    found: dict[str, Candidate] = {}
    for line, keys in fields_of.items():
        owners = page.owners(line) & set(keys)
        if len(keys) > 1 and len(owners) == 1:
            found |= {key: Candidate(None, "taken_twice") for key in keys if key not in owners}
    return found


def _only_line(spec: FieldSpec, element: Element, page: LabelledPage) -> int | None:
    """The one line that the element names, where that holds one value of the field's type."""
    numbers = numbers_of(element, page)
    return numbers[0] if len(numbers) == 1 and has_one_value(spec, numbers[0], page) else None


def _written(element: Element) -> str:
    """A value that the model wrote out; empty for line numbers and null."""
    return "" if element is None or line_numbers(element) else str(element).strip()
