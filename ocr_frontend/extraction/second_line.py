"""The rules about values that go over lines: which lines are none of theirs, and which one goes on with a value."""

from ocr_frontend.documents.contacts import is_contact
from ocr_frontend.documents.letters import has_number, letters
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import (
    READ,
    Candidate,
    Elements,
    claimed_by_others,
    fewer,
    field_by_field,
    numbers_of,
)
from ocr_frontend.extraction.under_label import follows

# OCR's score, below which a line is never added to a value that was read well.
_READ_WELL = 0.9
_FEWEST_LETTERS = 3  # of a second line
# A line that is so like a label that was read nowhere is that label: two in a hundred names reach 0.5 of any label.
_LIKE_MISSING, _MAYBE_MISSING = 0.5, 0.4


@field_by_field
def second_line_left_out(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """Of a value over lines: one that was hardly read, or that is like a label which was read nowhere.

    With a line that says something else (another label, a telephone number) the value is at its end.
    """
    numbers = numbers_of(elements.get(spec.key), page)
    end = next((place for place, n in enumerate(numbers) if place and _says_else(spec, page, n)), len(numbers))
    kept = [
        n
        for place, n in enumerate(numbers[:end])
        if not place or (page.lines[n].confidence >= READ - 0.2 and page.likeness_to_missing(n) < _LIKE_MISSING)
    ]
    return fewer(numbers, kept, "second_line_left_out")


@field_by_field
def continued(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """A value of free text that goes on in the one line right under it, which is surely no label and no dirt."""
    element = elements.get(spec.key)
    if spec.max_lines < 2 or not spec.type.free or type(element) is not int or not 0 <= element < len(page.lines):
        return None
    claimed = claimed_by_others(elements, spec.key)
    below = [n for n in range(len(page.lines)) if n != element and n not in claimed and _goes_on(element, n, page)]
    return Candidate((element, below[0]), "continued") if len(below) == 1 else None


def _goes_on(upper: int, lower: int, page: LabelledPage) -> bool:
    """Whether `lower` stands right below `upper`, is as well read, and like no missing label."""
    if not follows(upper, lower, page):
        return False
    first, second = page.lines[upper], page.lines[lower]
    plain = letters(second.text)
    if len(plain) < _FEWEST_LETTERS or has_number(second.text) or first.text.isupper() != second.text.isupper():
        return False
    if second.confidence < _READ_WELL or page.labels_in(lower) or page.is_label(lower) or page.may_be_label(lower):
        return False
    return page.likeness_to_missing(lower) < _MAYBE_MISSING


def _says_else(spec: FieldSpec, page: LabelledPage, index: int) -> bool:
    """Whether a line of free text carries a label of something else, or a telephone or registration number."""
    if not spec.type.free:
        return False
    return bool(page.labels_in(index) - {spec.key}) or page.is_label(index) or is_contact(page.lines[index].text)
