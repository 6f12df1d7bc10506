"""Which label stands next to a line, and whether a page prints its labels above their values or under them."""

from collections.abc import Sequence
from functools import cached_property

from ocr_frontend.ocr.geometry import Place

# In heights of the value's line: how far above its middle, and to the left of it, a label's middle may stand.
_ABOVE, _BESIDE = 3.2, 26.0
_SAME_ROW = 0.6
_A_MAJORITY = 1  # values, by which labels under them have to be more than above


class NearestLabels:
    """Of one page. names: of each line's labels; fitting: the fields with a form of their own that it is a value of."""

    def __init__(
        self, places: Sequence[Place], names: Sequence[frozenset[str]], fitting: Sequence[frozenset[str]]
    ) -> None:
        self._places, self._names, self._fitting = places, names, fitting
        self._found: dict[tuple[int, bool], frozenset[str]] = {}  # found so far: rules ask for every field

    @cached_property
    def below(self) -> bool:
        """Whether this page prints its labels under their values: more values that only one type admits say so."""
        above, below = self._agreements
        return below[0] - below[1] > max(above[0] - above[1], 0) + _A_MAJORITY

    @property
    def agreement(self) -> tuple[int, int]:
        """How many values with a form of their own stand next to a label of their type, and how many to another."""
        return self._agreements[self.below]

    def of(self, index: int) -> frozenset[str]:
        """The labels of the nearest line above (below, where this page has them there) or to the left that has any,
        empty where none is near."""
        return self._of(index, self.below)

    @cached_property
    def _agreements(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The same where labels are looked for above, and where below."""
        return self._count(below=False), self._count(below=True)

    def _count(self, below: bool) -> tuple[int, int]:
        fits = [0, 0]
        for index, fitting in enumerate(self._fitting):
            keys = frozenset() if self._names[index] else self._of(index, below)
            if keys and fitting:
                fits[not keys & fitting] += 1
        return fits[0], fits[1]

    def _of(self, index: int, below: bool) -> frozenset[str]:
        if (index, below) not in self._found:
            self._found[index, below] = self._search(index, below)
        return self._found[index, below]

    def _search(self, index: int, below: bool) -> frozenset[str]:
        here = self._places[index]
        found, nearest = frozenset[str](), float("inf")
        for other, place in enumerate(self._places):
            if other == index or not self._names[other]:
                continue
            down, aside = here.below(place), here.aside(place)
            along = -down if below else down
            if _SAME_ROW < along < _ABOVE and here.overlaps(place, 2 * here.height):
                distance = along + 0.15 * abs(aside)
            elif abs(down) <= _SAME_ROW and 0 < aside < _BESIDE:
                distance = 1.0 + 0.05 * (here.left - place.right) / here.height
            else:
                continue
            if distance < nearest:
                found, nearest = self._names[other], distance
        return found
