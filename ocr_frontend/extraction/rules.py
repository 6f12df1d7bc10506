"""What the picture suggests beside the model's answer. Rules propose, the last candidate counts, nothing is silent.

A rule returns what it would take instead, by field. What is taken against the model's answer carries the rule's name
as its source and a warning with its code.
"""

from collections.abc import Mapping, Sequence

from ocr_frontend.documents.letters import characters, has_number, letters
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.documents.types import fold
from ocr_frontend.extraction.candidate import (
    READ,
    Candidate,
    Elements,
    Rule,
    claimed_by_others,
    fewer,
    field_by_field,
    numbers_of,
)
from ocr_frontend.extraction.in_pieces import read_in_pieces
from ocr_frontend.extraction.line_order import named_twice, out_of_order
from ocr_frontend.extraction.second_line import continued, second_line_left_out
from ocr_frontend.extraction.under_label import main_chain, stands_under_label, under_another_label
from ocr_frontend.extraction.unfit import behind_another_label, not_of_its_form, taken_twice
from ocr_frontend.extraction.ungrounded import not_in_text
from ocr_frontend.llm.answers import Element, line_numbers

_FEWEST_LETTERS = 2
_NO_ACCIDENT = 6  # characters of a value that is taken by its form alone


def candidates(given: Mapping[str, Element], page: LabelledPage) -> dict[str, list[Candidate]]:
    """By field: the model's element first, then what the rules make of it, each of what the one before left."""
    current = dict(given)
    found = {spec.key: [Candidate(current.get(spec.key), "model")] for spec in page.spec.fields}
    for rule in RULES:
        for key, suggestion in rule(current, page).items():
            current[key] = suggestion.element
            found[key].append(suggestion)
    return found


def claimed_lines(found: Mapping[str, Sequence[Candidate]]) -> frozenset[int]:
    """The lines that the chosen candidates name: the last of each field, which every rule has seen."""
    return frozenset(n for several in found.values() for n in line_numbers(several[-1].element))


@field_by_field
def label_left_out(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """A line that is nothing but a label is no value."""
    numbers = numbers_of(elements.get(spec.key), page)
    kept = [n for n in numbers if not page.only_label(n, spec.key)]
    return fewer(numbers, kept, "label_left_out") if spec.type.free else None


@field_by_field
def taken_from_label(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """An empty field whose own label has free lines of its type under, beside or behind it: one, or for free text
    lines below each other of which a watermark's rests beside them are the smaller part."""
    if elements.get(spec.key) is not None or not spec.printed.texts:
        return None
    claimed = claimed_by_others(elements, spec.key)
    free = [
        index
        for index, line in enumerate(page.lines)
        if index not in claimed or spec.key in page.shared(index)
        if line.confidence >= READ and spec.key in page.owners(index)
        if not page.is_label(index) and _has_type(spec, page, index)
    ]
    if len(free) > 1 and spec.type.free:
        free = list(main_chain(free, page))
    if not 1 <= len(free) <= (spec.max_lines if spec.type.free else 1):
        return None
    return Candidate(tuple(free) if len(free) > 1 else free[0], "taken_from_label")


@field_by_field
def only_one_of_its_type(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """An empty field of a strict type, where one free line alone holds such a value, and no other field lacks one."""
    if elements.get(spec.key) is not None or spec.type.free:
        return None
    rivals = [s for s in page.spec.fields if s.type == spec.type and elements.get(s.key) is None]
    claimed = claimed_by_others(elements, spec.key)
    free = [
        index
        for index, line in enumerate(page.lines)
        if index not in claimed or spec.key in page.shared(index)
        if line.confidence >= READ and (_whole(spec, line.text) or spec.key in page.shared(index))
        if all(elements.get(owner) is not None for owner in page.owners(index) - page.unlike(index) - {spec.key})
    ]
    return Candidate(free[0], "only_one_of_its_type") if len(free) == 1 and len(rivals) == 1 else None


def _has_type(spec: FieldSpec, page: LabelledPage, index: int) -> bool:
    text = page.text_of(index, spec.key)
    if spec.type.free:
        return len(letters(text)) >= _FEWEST_LETTERS and not has_number(text) and not page.may_be_label(index)
    return spec.type.holds(text)


def _whole(spec: FieldSpec, text: str) -> bool:
    """Whether the line holds one value of the type, long enough to be no accident, and hardly anything else: it may be
    printed in groups."""
    found = list(spec.type.finds(fold(text)))
    if len({each.value for each in found}) != 1 or not found[0].exact:
        return False
    value = str(found[0].value)
    more = characters(text) - characters(value)
    return len(value) >= _NO_ACCIDENT and (len(text.split()) <= 2 or more <= 0)


RULES: tuple[Rule, ...] = (
    not_in_text,
    not_of_its_form,
    named_twice,
    out_of_order,
    behind_another_label,
    label_left_out,
    second_line_left_out,
    stands_under_label,
    under_another_label,
    taken_twice,
    taken_from_label,
    only_one_of_its_type,
    read_in_pieces,
    continued,
)
