"""How a page's lines and labels stand to each other: rows, columns, and which way this page's labels stand."""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.extraction.reranker.looks import Looks
from ocr_frontend.ocr.geometry import Place

Side = Literal["above", "below", "left", "right"]
FAR = 9.0  # heights, where there is nothing
SIDES: tuple[Side, ...] = ("above", "below", "left", "right")

# In heights of the line: how far beside the row, and how far above or below, a label's middle may stand; how far it may
# reach into the line on a row; the margin by which they have to share columns.
_ROW, _NEAREST, _FARTHEST, _INTO, _MARGIN = 0.7, 0.4, 3.4, 0.7, 2.0
# A line that goes on with another: how far below, how far aside, and in which sizes.
_LOWEST, _HIGHEST, _ASIDE, _SMALLER, _LARGER = 2.0, 0.6, 1.2, 0.65, 1.5


def side_of(line: Place, label: Place) -> tuple[Side, float, float] | None:
    """Where a label stands, seen from a line, how far away, and how far their edges or middles are apart, in heights of
    the line; None where they have nothing to do with each other."""
    height, down = line.height, line.below(label)
    if abs(down) <= _ROW:
        if label.right <= line.left + _INTO * height:
            return "left", max(0.0, (line.left - label.right) / height), 0.0
        if label.left >= line.right - _INTO * height:
            return "right", max(0.0, (label.left - line.right) / height), 0.0
    if not _NEAREST < abs(down) < _FARTHEST or not line.overlaps(label, _MARGIN * height):
        return None
    middles = abs(line.left + line.right - label.left - label.right) / 2
    edges = min(abs(line.left - label.left), abs(line.right - label.right), middles)
    return ("above" if down > 0 else "below"), abs(down), edges / height


def before(first: Place, last: Place, label: Place) -> bool:
    """Whether a label stands left of a value's lines, anywhere between the first one's row and the last one's."""
    rows = first.middle - _ROW * first.height <= label.middle <= last.middle + _ROW * last.height
    return rows and label.right <= min(first.left, last.left) + _INTO * first.height


class Surroundings:
    """Of one page. Lines are numbered as in the prompt."""

    def __init__(self, page: LabelledPage) -> None:
        self.page, self.places = page, page.places
        lines = range(len(page.lines))
        self.labels: tuple[bool, ...] = tuple(page.is_label(n) for n in lines)
        self.typed: tuple[int, ...] = tuple(n for n in lines if page.fitting(n) and not page.labels_in(n))
        self.looks = Looks(page.lines, self.places, self.labels, self.typed)

    @cached_property
    def labels_around(self) -> tuple[tuple[tuple[Side, float, frozenset[str]], ...], ...]:
        """Of each line the labels in other lines near it: where each stands, how far away, and its names."""
        lines = range(len(self.places))
        labels = [(n, names) for n in lines if (names := self.page.labels_in(n))]
        return tuple(
            tuple(
                (found[0], found[1], names)
                for label, names in labels
                if label != line and (found := side_of(self.places[line], self.places[label])) is not None
            )
            for line in lines
        )

    @cached_property
    def share(self) -> dict[Side, float]:
        """By side: how many more values with a form of their own have there the nearest label of their type than
        another's, of all such values. In [-1, 1]."""
        balance = dict.fromkeys(SIDES, 0)
        for line in self.typed:
            nearest = dict[Side, tuple[float, frozenset[str]]]()
            for side, away, names in self.labels_around[line]:
                if away < nearest.get(side, (float("inf"), names))[0]:
                    nearest[side] = (away, names)
            for side, (_, names) in nearest.items():
                balance[side] += 1 if names & self.page.fitting(line) else -1
        return {side: count / (len(self.typed) + 1) for side, count in balance.items()}

    @cached_property
    def followers(self) -> tuple[tuple[int, ...], ...]:
        """Of each line those that may go on with it: right below, in its size, no labels."""
        lines = range(len(self.places))
        return tuple(tuple(n for n in lines if n != line and self._goes_on(line, n)) for line in lines)

    def _goes_on(self, upper: int, lower: int) -> bool:
        above, below = self.page.value_places[upper], self.places[lower]
        if self.labels[lower] or not _HIGHEST < self.gap(upper, lower) < _LOWEST:
            return False
        return self.page.apart(upper, lower) < _ASIDE and _SMALLER < below.height / above.height < _LARGER

    @cached_property
    def beside(self) -> tuple[tuple[int, ...], ...]:
        """Of each line those right of it in its row that may be more of the same value: near, in its size, no labels.
        The detection parts what is set with wide spaces."""
        lines = range(len(self.places))
        return tuple(tuple(n for n in lines if n != line and self._beside(line, n)) for line in lines)

    def _beside(self, first: int, second: int) -> bool:
        if self.labels[second] or self.page.labels_in(second):
            return False
        return self.page.value_places[first].goes_on_in(self.places[second])

    def rows(self, lines: Sequence[int]) -> list[tuple[int, ...]]:
        """Lines of one value, those of a row together."""
        found: list[tuple[int, ...]] = []
        for n in lines:
            if found and n in self.beside[found[-1][-1]]:
                found[-1] = (*found[-1], n)
            else:
                found.append((n,))
        return found

    def space(self, first: int, second: int) -> float:
        """From the end of a line to the beginning of another one, in heights of the first."""
        before, after = self.places[first], self.places[second]
        return (after.left - before.right) / before.height

    def to_label(self, line: int, *, down: bool) -> float:
        """How far the nearest label below a line or above it is, in its columns, from middle to middle in its heights;
        `FAR` where there is none: a value ends where the next label is."""
        here, way = self.places[line], 1 if down else -1
        found = (
            way * self.gap(line, n)
            for n, label in enumerate(self.labels)
            if label and here.overlaps(self.places[n], _MARGIN * here.height)
        )
        return min((away for away in found if away > _HIGHEST), default=FAR)

    def gap(self, upper: int, lower: int) -> float:
        """From middle to middle, in heights of the upper line."""
        above, below = self.places[upper], self.places[lower]
        return (below.middle - above.middle) / above.height
