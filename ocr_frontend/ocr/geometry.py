"""Where lines stand on a page: one place for the arithmetic of boxes."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ocr_frontend.ocr.orientation import levelled, slope
from ocr_frontend.ocr.textline import Box, TextLine

_ASLANT = math.radians(12)
# One that goes on in a row: how far below or above, from how far inside to how far to the right, in heights; its size.
_LEVEL, _INTO, _WIDE, _SMALLER, _LARGER = 0.45, -0.7, 1.6, 0.65, 1.5
_PIECES = 6  # of one row
_LONG, _LARGE = 2.0, 3.0  # sides of a box to each other, and to the height of most lines


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

    def apart(self, other: "Place") -> float:
        """How far their left edges, their right edges or their middles are apart, whichever is least, in heights of
        this line: texts that are set below each other have one of them in common."""
        middles = (self.left + self.right - other.left - other.right) / 2
        return min(abs(self.left - other.left), abs(self.right - other.right), abs(middles)) / self.height

    def goes_on_in(self, other: "Place") -> bool:
        """Whether the other one stands right of this in its row, near and in its size: what is set with wide spaces is
        found in pieces."""
        space = (other.left - self.right) / self.height
        alike = _SMALLER < other.height / self.height < _LARGER
        return abs(other.below(self)) <= _LEVEL and _INTO < space < _WIDE and alike

    def overlaps(self, other: "Place", margin: float = 0.0) -> bool:
        """Whether they share columns, but for `margin` pixels."""
        return self.left < other.right + margin and other.left < self.right + margin


def places(lines: Sequence[TextLine]) -> list[Place]:
    """One a line, on the page turned level."""
    return [_place(line) for line in levelled(lines)]


def rows_from(
    first: int, places: Sequence[Place], right_of: Callable[[int], Iterable[int]]
) -> Iterator[tuple[int, ...]]:
    """A line alone, then with more and more of the pieces that stand right of it in its row, the nearest first.
    right_of: those that may go on after a line."""
    row: tuple[int, ...] = (first,)
    yield row
    while len(row) < _PIECES and (after := [n for n in right_of(row[-1]) if n not in row]):
        row = (*row, min(after, key=lambda n: places[n].left))
        yield row


def aslant(lines: Sequence[TextLine]) -> tuple[bool, ...]:
    """Which lines run across the page's text, as watermarks and stamps do."""
    return tuple(tilt is not None and tilt > _ASLANT for tilt in tilts(lines))


def tilts(lines: Sequence[TextLine]) -> tuple[float | None, ...]:
    """How far each line is turned against the page's text, in radians up to an eighth of a turn, of long lines and of
    writing that is large: of a letter's box the angle says nothing."""
    angle = slope(lines)
    heights = sorted(_sides(line.box)[1] for line in lines)
    usual = heights[len(heights) // 2] if heights else 0.0
    return tuple(_tilt(line.box, angle, usual) for line in lines)


def _tilt(box: Box, angle: float, usual: float) -> float | None:
    long, short = _sides(box)
    if long < _LONG * short and long < _LARGE * usual:
        return None
    (a, b), (c, d), _, _ = box
    quarter = math.pi / 2
    return abs((math.atan2(d - b, c - a) - angle + quarter / 2) % quarter - quarter / 2)


def _sides(box: Box) -> tuple[float, float]:
    """The longer and the shorter one, in pixels."""
    a, b, c, _ = box
    one, other = math.dist(a, b), math.dist(b, c)
    return max(one, other), min(one, other)


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
