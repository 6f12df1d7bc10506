"""How a page is printed: in which sizes, how dark and how level its lines are."""

from collections.abc import Sequence
from functools import cached_property
from statistics import median

from ocr_frontend.ocr.geometry import Place, tilts
from ocr_frontend.ocr.textline import TextLine


class Looks:
    """Of one page. labels: whether a line is one; typed: the numbers of lines that hold values with a form of their
    own."""

    def __init__(
        self, lines: Sequence[TextLine], places: Sequence[Place], labels: Sequence[bool], typed: Sequence[int]
    ) -> None:
        self._lines, self._places, self._labels, self._typed = lines, places, labels, typed

    @cached_property
    def value_height(self) -> float:
        """Pixels: of the values with a form of their own, else of all lines."""
        return self._middle([self._places[n].height for n in self._typed])

    @cached_property
    def label_height(self) -> float:
        """Pixels: of the labels, else of all lines."""
        return self._middle([place.height for place, label in zip(self._places, self._labels, strict=True) if label])

    @cached_property
    def line_height(self) -> float:
        """Pixels: of all lines."""
        return self._middle([])

    @cached_property
    def paleness(self) -> tuple[float | None, ...]:
        """Of each line: 0 where it is written as dark as the page's values, 1 where it is paper; None where no ink was
        looked at. Stamps and watermarks are paler than print, some signatures darker."""
        inks = [line.ink for line in self._lines]
        seen = [ink for n in self._typed if (ink := inks[n]) is not None] or [ink for ink in inks if ink is not None]
        usual = median(seen) if seen else 0.0
        return tuple(None if ink is None else (ink - usual) / max(1.0 - usual, 0.01) for ink in inks)

    @cached_property
    def tilts(self) -> tuple[float | None, ...]:
        """How far each line is turned against the page's, in radians."""
        return tilts(self._lines)

    def down(self, line: int) -> float:
        """Where a line stands between the page's first and last one, in [0, 1]."""
        middles = [place.middle for place in self._places]
        return (self._places[line].middle - min(middles)) / (max(middles) - min(middles) + 1.0)

    def _middle(self, heights: Sequence[float]) -> float:
        heights = heights or [place.height for place in self._places]
        return median(heights) if heights else 1.0
