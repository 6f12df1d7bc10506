"""A field that the model left empty, or took from under another field's label, while its own label has a value.

On 160 validation cards 1,000 of 1,004 values stood under (or beside) their own label, and under the label of none of 39
empty fields stood a line that was nobody's. So an empty field takes such a line; that it outranks a line which the
model did name is off unless OCR_FRONT_PLACEMENT says `all`: that changed nothing (docs/lab-notes.md).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from ocr_frontend.documents.labels import letters
from ocr_frontend.documents.own_labels import OWN_LABELS, after_label
from ocr_frontend.documents.registry import Document, FieldSpec, Kind
from ocr_frontend.documents.values import find_value
from ocr_frontend.extraction.label_lines import is_label
from ocr_frontend.extraction.neighbours import Neighbours
from ocr_frontend.llm.answers import Element, line_numbers
from ocr_frontend.ocr.textline import TextLine

_READ = 0.8  # score below which a line may be dirt
_FEWEST_LETTERS = 2


Placement = Literal["off", "empty", "all"]


def with_places(
    elements: Mapping[str, Element], document: Document, lines: Sequence[TextLine], which: Placement
) -> dict[str, Element]:
    """The answer's elements; the one free line under the own label takes the place of null (`empty`), or also of a line
    under another's label (`all`)."""
    placed = dict(elements)
    wanted = [] if which == "off" else [s for s in document.fields if which == "all" or placed.get(s.name) is None]
    if not wanted:
        return placed
    around = Neighbours(lines)
    for spec in wanted * 2:  # a line that was another's is free in the second round
        if _out_of_place(placed.get(spec.name), spec, around, lines):
            free = _free(spec, placed, around, lines)
            if len(free) == 1:
                placed[spec.name] = free[0]
    return placed


def _out_of_place(element: Element, spec: FieldSpec, around: Neighbours, lines: Sequence[TextLine]) -> bool:
    own = OWN_LABELS.get(spec.name)
    if own is None:
        return False
    if element is None:
        return True
    if not isinstance(element, int) or not 0 <= element < len(lines):
        return False
    above = around.above(element)
    return bool(above) and not (above | around.labels_of(element)) & own


def _free(spec: FieldSpec, elements: Mapping[str, Element], around: Neighbours, lines: Sequence[TextLine]) -> list[int]:
    """Lines under the field's label, or behind it, that nobody claims and that have its form."""
    claimed = {index for name, element in elements.items() if name != spec.name for index in line_numbers(element)}
    read = [index for index, line in enumerate(lines) if index not in claimed and line.confidence >= _READ]
    if spec.kind is Kind.TEXT:
        behind = [index for index in read if after_label(lines[index].text, spec.name)]
        if behind:
            return behind
    return [
        index
        for index in read
        if around.above(index) & OWN_LABELS[spec.name]
        and not around.labels_of(index)
        and not is_label(lines[index].text)
        and _has_form(lines[index].text, spec)
    ]


def _has_form(text: str, spec: FieldSpec) -> bool:
    if spec.kind is Kind.TEXT:
        return len(letters(text)) >= _FEWEST_LETTERS and not any(character.isdigit() for character in text)
    found = find_value(text, spec)
    return found is not None and found.exact
