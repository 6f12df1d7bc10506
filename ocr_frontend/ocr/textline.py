"""One segment of text as the OCR gives it."""

from dataclasses import dataclass

Point = tuple[int, int]
Box = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One segment: its text, its score in [0, 1], its corners in pixels, clockwise from the top left of the text.

    ink: how bright its writing is, in parts of the paper around it; letter: the probability of its least sure letter or
    digit. None where nobody looked.
    """

    text: str
    confidence: float
    box: Box
    ink: float | None = None
    letter: float | None = None
