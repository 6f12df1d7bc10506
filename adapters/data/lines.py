"""What an OCR engine returns: lines of text with a score and a quadrilateral, in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Point = tuple[float, float]
Polygon = tuple[Point, ...]
T = TypeVar("T")

# PaddleOCR takes boxes whose tops differ by less than this many pixels for one row.
_SAME_ROW = 10.0


@dataclass(frozen=True)
class Line:
    """One OCR segment. `polygon` is empty where a line was simulated without an image."""

    text: str
    score: float = 1.0
    polygon: Polygon = ()


def polygon_of(corners: Sequence[Sequence[float]]) -> Polygon:
    """Corners as they stand in a file."""
    return tuple((float(x), float(y)) for x, y in corners)


def reading_order(items: Sequence[tuple[Point, T]]) -> list[T]:
    """Items by their top left corner, as PaddleOCR's `sorted_boxes` does it: by y, then neighbours of a row by x."""
    boxes = sorted(items, key=lambda item: (item[0][1], item[0][0]))
    for i in range(len(boxes) - 1):
        for j in range(i, -1, -1):
            (x1, y1), (x2, y2) = boxes[j][0], boxes[j + 1][0]
            if abs(y2 - y1) >= _SAME_ROW or x2 >= x1:
                break
            boxes[j], boxes[j + 1] = boxes[j + 1], boxes[j]
    return [item for _, item in boxes]
