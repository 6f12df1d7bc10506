"""Boxes of lines on the picture, as they were found: tilted or not. On the page turned level: `geometry`."""

from dataclasses import replace
from math import hypot

from ocr_frontend.ocr.pixels import Rectangle
from ocr_frontend.ocr.textline import Point, TextLine


def area(*lines: TextLine) -> Rectangle:
    """The upright rectangle around a line, or around several."""
    xs, ys = [x for line in lines for x, _ in line.box], [y for line in lines for _, y in line.box]
    return min(xs), min(ys), max(xs), max(ys)


def writing_height(line: TextLine) -> float:
    """Pixels: the shorter side of its box, at least one."""
    (a, b), (c, d), _, (e, f) = line.box
    return max(1.0, min(hypot(c - a, d - b), hypot(e - a, f - b)))


def moved(line: TextLine, left: int, top: int, across: float = 1.0, down: float = 1.0) -> TextLine:
    """The line of a part on the picture. left, top: of the part; across, down: pixels of the picture in one of its."""

    def place(point: Point) -> Point:
        return round(left + point[0] * across), round(top + point[1] * down)

    a, b, c, d = line.box
    return replace(line, box=(place(a), place(b), place(c), place(d)))


def share(one: TextLine, other: TextLine) -> bool:
    """Whether the middle of one of them stands in the other."""
    return middle_in(one, area(other)) or middle_in(other, area(one))


def middle(line: TextLine) -> tuple[float, float]:
    """Of the corners of its box."""
    return sum(x for x, _ in line.box) / 4, sum(y for _, y in line.box) / 4


def middle_in(line: TextLine, where: Rectangle) -> bool:
    """Whether a line's middle stands in a part of the picture."""
    x, y = middle(line)
    return where[0] <= x <= where[2] and where[1] <= y <= where[3]
