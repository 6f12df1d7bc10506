"""What the picture suggests beside the model's answer. Rules propose, the last candidate counts, nothing is silent.

A rule looks at one field and returns what it would take instead, or None. What is taken against the model's answer
carries the rule's name as its source and a warning with its code.
"""

from collections.abc import Mapping, Sequence

from ocr_frontend.documents.contacts import is_contact
from ocr_frontend.documents.letters import has_number, letters
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import READ, Candidate, Elements, Rule, claimed_by_others, numbers_of
from ocr_frontend.extraction.under_label import follows, stands_under_label
from ocr_frontend.extraction.ungrounded import not_in_text
from ocr_frontend.llm.answers import Element, line_numbers

# OCR's score, below which a line is never added to a value that was read well.
_READ_WELL = 0.9
_FEWEST_LETTERS = 2
# A line that is so like a label that was read nowhere is that label: two in a hundred names reach 0.5 of any label.
_LIKE_MISSING, _MAYBE_MISSING = 0.5, 0.4
_NO_ACCIDENT = 6  # characters of a value that is taken by its form alone


def candidates(given: Mapping[str, Element], page: LabelledPage) -> dict[str, list[Candidate]]:
    """By field: the model's element first, then what the rules make of it, each of what the one before left."""
    current = dict(given)
    found = {spec.key: [Candidate(current.get(spec.key), "model")] for spec in page.spec.fields}
    for rule in RULES:
        seen = dict(current) if rule is stands_under_label else current  # fields give lines to each other at once
        for spec in page.spec.fields:
            suggestion = rule(spec, seen, page)
            if suggestion is not None:
                current[spec.key] = suggestion.element
                found[spec.key].append(suggestion)
    return found


def claimed_lines(found: Mapping[str, Sequence[Candidate]]) -> frozenset[int]:
    """The lines that the chosen candidates name: the last of each field, which every rule has seen."""
    return frozenset(n for several in found.values() for n in line_numbers(several[-1].element))


def label_left_out(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """A line that is nothing but a label is no value."""
    numbers = numbers_of(elements.get(spec.key), page)
    kept = [n for n in numbers if not (page.is_label(n) and page.text_of(n, spec.key) == page.lines[n].text)]
    return _fewer(numbers, kept, "label_left_out") if spec.type.free else None


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
    return _fewer(numbers, kept, "second_line_left_out")


def taken_from_label(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """An empty field whose own label has exactly one free line of its type under, beside or behind it."""
    if elements.get(spec.key) is not None or not spec.printed.texts:
        return None
    claimed = claimed_by_others(elements, spec.key)
    free = [
        index
        for index, line in enumerate(page.lines)
        if index not in claimed and line.confidence >= READ and spec.key in page.owners(index)
        if not page.is_label(index) and _has_type(spec, page, index)
    ]
    return Candidate(free[0], "taken_from_label") if len(free) == 1 else None


def only_one_of_its_type(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """An empty field of a strict type, where one free line alone holds such a value, and no other field lacks one."""
    if elements.get(spec.key) is not None or spec.type.free:
        return None
    rivals = [s for s in page.spec.fields if s.type == spec.type and elements.get(s.key) is None]
    claimed = claimed_by_others(elements, spec.key)
    free = [
        index
        for index, line in enumerate(page.lines)
        if index not in claimed and line.confidence >= READ and _whole(spec, line.text)
        if all(elements.get(owner) is not None for owner in page.owners(index) - {spec.key})
    ]
    return Candidate(free[0], "only_one_of_its_type") if len(free) == 1 and len(rivals) == 1 else None


def continued(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """A value of free text that goes on in the one line right under it, which is surely no label and no dirt."""
    element = elements.get(spec.key)
    if spec.max_lines < 2 or not spec.type.free or type(element) is not int or not 0 <= element < len(page.lines):
        return None
    claimed = claimed_by_others(elements, spec.key)
    below = [n for n in range(len(page.lines)) if n != element and n not in claimed and _goes_on(element, n, page)]
    return Candidate((element, below[0]), "continued") if len(below) == 1 else None


def _goes_on(upper: int, lower: int, page: LabelledPage) -> bool:
    """Whether `lower` stands right below the beginning of `upper`, is as well read, and like no missing label."""
    if not follows(upper, lower, page):
        return False
    first, second = page.lines[upper], page.lines[lower]
    plain = letters(second.text)
    if len(plain) < _FEWEST_LETTERS + 1 or has_number(second.text) or first.text.isupper() != second.text.isupper():
        return False
    if second.confidence < _READ_WELL or page.labels_in(lower) or page.is_label(lower):
        return False
    return page.likeness_to_missing(lower) < _MAYBE_MISSING


def _has_type(spec: FieldSpec, page: LabelledPage, index: int) -> bool:
    text = page.text_of(index, spec.key)
    if spec.type.free:
        return len(letters(text)) >= _FEWEST_LETTERS and not has_number(text)
    found = spec.type.find(text)
    return found is not None and found.exact


def _says_else(spec: FieldSpec, page: LabelledPage, index: int) -> bool:
    """Whether a line of free text carries a label of something else, or a telephone or registration number."""
    if not spec.type.free:
        return False
    return bool(page.labels_in(index) - {spec.key}) or page.is_label(index) or is_contact(page.lines[index].text)


def _whole(spec: FieldSpec, text: str) -> bool:
    """Whether the line holds one value of the type, long enough to be no accident, and hardly anything else."""
    found = list(spec.type.finds(" ".join(text.split())))
    if len({each.value for each in found}) != 1 or not found[0].exact or len(text.split()) > 2:
        return False
    return len(str(found[0].value)) >= _NO_ACCIDENT


def _fewer(numbers: tuple[int, ...], kept: list[int], code: str) -> Candidate | None:
    if len(kept) == len(numbers):
        return None
    return Candidate(tuple(kept) if len(kept) > 1 else kept[0] if kept else None, code)


RULES: tuple[Rule, ...] = (
    not_in_text,
    label_left_out,
    second_line_left_out,
    stands_under_label,
    taken_from_label,
    only_one_of_its_type,
    continued,
)
