"""What a field may have beside the model's answer: what every rule takes and gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.llm.answers import Element, line_numbers

READ = 0.8  # OCR's score, below which a line may be dirt


@dataclass(frozen=True, slots=True)
class Candidate:
    """An element that a field may have, and where it comes from: `model`, or the rule's code."""

    element: Element
    source: str


Elements = dict[str, Element]
Rule = Callable[[Elements, LabelledPage], dict[str, Candidate]]


def field_by_field(rule: Callable[[FieldSpec, Elements, LabelledPage], Candidate | None]) -> Rule:
    """A rule that looks at one field after the other, and sees what it has given to those before."""

    @wraps(rule)
    def of_page(elements: Elements, page: LabelledPage) -> dict[str, Candidate]:
        seen, found = dict(elements), dict[str, Candidate]()
        for spec in page.spec.fields:
            suggestion = rule(spec, seen, page)
            if suggestion is not None:
                seen[spec.key], found[spec.key] = suggestion.element, suggestion
        return found

    return of_page


def claimed_by_others(elements: Mapping[str, Element], but: str) -> frozenset[int]:
    """The lines that the other fields name."""
    return frozenset(n for key, element in elements.items() if key != but for n in line_numbers(element))


def numbers_of(element: Element, page: LabelledPage) -> tuple[int, ...]:
    """The lines that an element names; none where one of them does not exist."""
    numbers = line_numbers(element)
    return numbers if all(0 <= number < len(page.lines) for number in numbers) else ()


def fewer(numbers: tuple[int, ...], kept: list[int], code: str) -> Candidate | None:
    """What is left of a value's lines; None where all of them are."""
    if len(kept) == len(numbers):
        return None
    return Candidate(tuple(kept) if len(kept) > 1 else kept[0] if kept else None, code)
