"""What a field may have beside the model's answer: what every rule takes and gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
Rule = Callable[[FieldSpec, Elements, LabelledPage], Candidate | None]


def claimed_by_others(elements: Mapping[str, Element], but: str) -> frozenset[int]:
    """The lines that the other fields name."""
    return frozenset(n for key, element in elements.items() if key != but for n in line_numbers(element))


def numbers_of(element: Element, page: LabelledPage) -> tuple[int, ...]:
    """The lines that an element names; none where one of them does not exist."""
    numbers = line_numbers(element)
    return numbers if all(0 <= number < len(page.lines) for number in numbers) else ()
