"""From a parsed answer to values: a line number becomes what that line says, a written value is looked for in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ocr_frontend.documents.own_labels import after_label
from ocr_frontend.documents.registry import FieldSpec, Kind
from ocr_frontend.documents.values import Found, Value, find_value, fold
from ocr_frontend.llm.answers import MAX_JOINED, Element
from ocr_frontend.ocr.textline import Box, TextLine

NOT_IN_TEXT = "The value stands nowhere in the OCR text."
NO_SUCH_LINE = "The model named a line that does not exist."
NOT_OF_FORM = "The value has not the expected form; it is given as read."
NO_VALUE = "What the model chose holds no value of the expected form."
REPAIRED = "Letters and digits that OCR confuses were corrected."
_SHORT = 3  # characters


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field. `line` is the index of the OCR line it came from; `score` is that line's, where the model named it.

    source: where the value was read, `ocr` or the machine-readable zone (`mrz`); `model` where it was read nowhere.
    """

    value: Value | None = None
    line: int | None = None
    score: float | None = None
    box: Box | None = None
    warnings: tuple[str, ...] = ()
    source: Literal["ocr", "mrz", "model"] = "ocr"


def resolve(element: Element, spec: FieldSpec, lines: Sequence[TextLine], *, numbered: bool) -> Resolved:
    """`lines` are those of the prompt, in its numbering; with `numbered`, an integer in the answer is one of them."""
    if element is None or element == "":
        return Resolved()
    if isinstance(element, tuple):
        return _by_lines(element, spec, lines) if numbered else Resolved(warnings=(NO_VALUE,))
    if numbered and isinstance(element, int):
        return _by_line(element, spec, lines)
    return _by_value(str(element), spec, lines)


def _by_line(index: int, spec: FieldSpec, lines: Sequence[TextLine]) -> Resolved:
    if not 0 <= index < len(lines):
        return Resolved(warnings=(NO_SUCH_LINE,))
    line = lines[index]
    behind = after_label(line.text, spec.name) if spec.kind is Kind.TEXT else None
    found = find_value(behind or line.text, spec)
    if found is None:
        return Resolved(line=index, box=line.box, warnings=(NO_VALUE,))
    return Resolved(found.value, index, line.confidence, line.box, _warnings(found))


def _by_lines(indexes: Sequence[int], spec: FieldSpec, lines: Sequence[TextLine]) -> Resolved:
    """A value that the card breaks over lines: their texts joined by a blank, as sure as the least sure of them."""
    if not all(0 <= index < len(lines) for index in indexes):
        return Resolved(warnings=(NO_SUCH_LINE,))
    parts = [lines[index] for index in indexes]
    joined = TextLine(" ".join(part.text for part in parts), min(part.confidence for part in parts), _around(parts))
    found = _by_line(0, spec, [joined])
    return replace(found, line=indexes[0])


def _around(parts: Sequence[TextLine]) -> Box:
    """The upright rectangle around the parts' boxes."""
    xs = [x for part in parts for x, _ in part.box]
    ys = [y for part in parts for _, y in part.box]
    return ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))


def _by_value(text: str, spec: FieldSpec, lines: Sequence[TextLine]) -> Resolved:
    found = find_value(text, spec)
    if found is None:
        return Resolved(warnings=(NO_VALUE,))
    index = _line_of(found, text, spec, lines)
    if index is not None:
        return Resolved(found.value, index, None, lines[index].box, _warnings(found))
    for start, parts in _stretches(lines):
        if _holds(" ".join(part.text for part in parts), text):
            return Resolved(found.value, start, None, _around(parts), _warnings(found))
    return Resolved(found.value, warnings=(*_warnings(found), NOT_IN_TEXT), source="model")


def _stretches(lines: Sequence[TextLine]) -> Iterator[tuple[int, Sequence[TextLine]]]:
    """Lines that follow each other, as many as may hold one value, and where they begin."""
    for count in range(2, MAX_JOINED + 1):
        for start in range(len(lines) - count + 1):
            yield start, lines[start : start + count]


def _line_of(found: Found, text: str, spec: FieldSpec, lines: Sequence[TextLine]) -> int | None:
    """A line that holds the value literally; where there is none, one whose own value is the same."""
    for index, line in enumerate(lines):
        if _holds(line.text, text):
            return index
    if spec.kind is Kind.TEXT:
        return None
    for index, line in enumerate(lines):
        other = find_value(line.text, spec)
        if other is not None and other.value == found.value:
            return index
    return None


def _holds(line: str, text: str) -> bool:
    """Whole words only for short values: `M` is in every other line, `ELA` in BELABO."""
    line, text = _key(line), _key(text)
    if not text:
        return False
    return text in line.split() if len(text) <= _SHORT and " " not in text else text in line


def _key(text: str) -> str:
    return fold(text).casefold()


def _warnings(found: Found) -> tuple[str, ...]:
    if not found.exact:
        return (NOT_OF_FORM,)
    return (REPAIRED,) if found.repaired else ()
