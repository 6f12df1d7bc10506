"""Where lines stand on a page: one place for the arithmetic of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.ocr.orientation import levelled
from ocr_frontend.ocr.textline import Box, TextLine


@dataclass(frozen=True, slots=True)
class Place:
    """A line on the level page, in pixels: its edges, its middle and the height of its writing."""

    left: float
    right: float
    top: float
    bottom: float
    height: float

    @property
    def middle(self) -> float:
        """Of top and bottom."""
        return (self.top + self.bottom) / 2

    def below(self, other: "Place") -> float:
        """How far this middle stands below the other's, in heights of this line."""
        return (self.middle - other.middle) / self.height

    def aside(self, other: "Place") -> float:
        """How far this line begins to the right of the other's beginning, in heights of this line."""
        return (self.left - other.left) / self.height

    def overlaps(self, other: "Place", margin: float = 0.0) -> bool:
        """Whether they share columns, but for `margin` pixels."""
        return self.left < other.right + margin and other.left < self.right + margin


def places(lines: Sequence[TextLine]) -> list[Place]:
    """One a line, on the page turned level."""
    return [_place(line) for line in levelled(lines)]


def around(boxes: Sequence[Box]) -> Box:
    """The upright rectangle around boxes."""
    xs = [x for box in boxes for x, _ in box]
    ys = [y for box in boxes for _, y in box]
    return ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))


def _place(line: TextLine) -> Place:
    xs, ys = [x for x, _ in line.box], [y for _, y in line.box]
    (a, b), _, _, (c, d) = line.box
    height = max(1.0, ((c - a) ** 2 + (d - b) ** 2) ** 0.5)
    return Place(min(xs), max(xs), min(ys), max(ys), height)
