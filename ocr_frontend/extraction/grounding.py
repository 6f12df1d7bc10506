"""Which OCR segments a value was read from, as places in the list of lines that is answered."""

from collections.abc import Sequence

from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.llm.answers import MAX_JOINED, Element
from ocr_frontend.ocr.textline import Box, TextLine


def lines_of(field: Resolved, element: Element, shown: Sequence[TextLine], page: Sequence[TextLine]) -> tuple[int, ...]:
    """Indexes into `page`, all lines that were read; none for a value that was read nowhere.

    `element`: what the field was resolved from; `shown`: the prompt's lines, which it and `field.line` count.
    """
    if field.box is None:
        return ()
    if field.source == "mrz" or field.line is None:
        return tuple(index for index, line in enumerate(page) if line.box == field.box)[:1]
    place = {id(line): index for index, line in enumerate(page)}
    chosen = element if isinstance(element, tuple) else _from(field.line, field.box, shown)
    return tuple(place[id(shown[index])] for index in chosen if id(shown[index]) in place)


def _from(first: int, box: Box, lines: Sequence[TextLine]) -> Sequence[int]:
    """The line, or the stretch of lines that begins with it, whose box this is."""
    if lines[first].box == box:
        return (first,)
    return [i for i in range(first, min(first + MAX_JOINED, len(lines))) if _inside(lines[i].box, box)]


def _inside(box: Box, around: Box) -> bool:
    (left, top), (right, bottom) = around[0], around[2]
    return all(left <= x <= right and top <= y <= bottom for x, y in box)
