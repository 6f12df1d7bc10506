"""A page whose lines somebody else's OCR has read, in the place of a picture that is read here."""

from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.errors import NoTextFound, Unprocessable
from ocr_frontend.ocr.scan import Page
from ocr_frontend.ocr.textline import Box, TextLine

Corner = tuple[float, float]
Corners = tuple[Corner, Corner, Corner, Corner]

# Lines without boxes are laid out one under the other, in pixels: near enough for a label to claim the line under it.
_ROW, _HEIGHT, _CHARACTER = 30, 24, 12


@dataclass(frozen=True, slots=True)
class GivenLine:
    """One line as it was given; box: its corners in pixels, clockwise from the top left of the text, where known."""

    text: str
    confidence: float
    box: Corners | None = None


def page_of(given: Sequence[GivenLine], size: Corner | None) -> Page:
    """The page in the given order. size: (width, height) of the picture; without it, or without boxes, around these.

    Raises NoTextFound where no line has text, Unprocessable where some lines have boxes and others none.
    """
    if not any(line.text.strip() for line in given):
        raise NoTextFound("No line has text.")
    boxes = [line.box for line in given if line.box is not None]
    if boxes and len(boxes) < len(given):
        raise Unprocessable("Some lines have a `box` and others have none: send one with every line, or with none.")
    placed = [_whole(box) for box in boxes] or [_laid_out(row, line.text) for row, line in enumerate(given)]
    lines = tuple(TextLine(line.text, line.confidence, box) for line, box in zip(given, placed, strict=True))
    width, height = size if size is not None and boxes else _around(placed)
    return Page(lines, (round(width), round(height)), decode_s=0.0, ocr_s=0.0)


def _whole(box: Corners) -> Box:
    a, b, c, d = ((round(x), round(y)) for x, y in box)
    return a, b, c, d


def _laid_out(row: int, text: str) -> Box:
    right, top = _CHARACTER * max(1, len(text)), _ROW * row
    return (0, top), (right, top), (right, top + _HEIGHT), (0, top + _HEIGHT)


def _around(boxes: Sequence[Box]) -> tuple[int, int]:
    """From the picture's corner to the farthest ones of the boxes."""
    return max(1, *(x for box in boxes for x, _ in box)), max(1, *(y for box in boxes for _, y in box))
