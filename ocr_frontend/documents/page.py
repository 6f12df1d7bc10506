"""A page as a document sees it: which line is a label, which label a line stands under or beside, which are missing.

What a clerk looks at, and the model does not see.
"""

from collections.abc import Sequence
from functools import cached_property

from ocr_frontend.documents.labels import Label, LabelBook, Reading, labels_of, likeness
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.ocr.geometry import Place, places
from ocr_frontend.ocr.textline import TextLine

# In heights of the value's line: how far above its middle, and to the left of it, a label's middle may stand.
_ABOVE, _BESIDE = 3.2, 26.0
_SAME_ROW = 0.6


class LabelledPage:
    """The lines of one page, in the prompt's numbering, read for the labels of one document. Built once a card."""

    def __init__(self, spec: DocumentSpec, lines: Sequence[TextLine]) -> None:
        self.spec, self.lines = spec, tuple(lines)
        self._labels = {label.name: label for label in labels_of(spec)}
        book = LabelBook(self._labels.values())
        self.readings: tuple[Reading, ...] = tuple(book.read(line.text) for line in self.lines)
        self._names = tuple(self._speaking(reading) for reading in self.readings)
        self._above: dict[int, frozenset[str]] = {}  # found so far: rules ask for every field

    def _speaking(self, reading: Reading) -> frozenset[str]:
        """The labels in a line, damaged ones too, without the static lines."""
        names = reading.damaged or reading.labels
        return frozenset(name for name in names if not name.startswith("="))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where each line stands on the level page."""
        return tuple(places(self.lines))

    def labels_in(self, index: int) -> frozenset[str]:
        """The labels in a line: keys of fields, names with + for labels that have no field."""
        return self._names[index]

    def is_label(self, index: int) -> bool:
        """Whether the line is nothing but labels or a static line, damaged or not."""
        reading = self.readings[index]
        return reading.bare or bool(reading.damaged)

    @cached_property
    def missing(self) -> tuple[Label, ...]:
        """Labels that the document prints and that were read nowhere."""
        read = frozenset().union(*self._names)
        return tuple(label for name, label in self._labels.items() if name not in read and not name.startswith("="))

    def likeness_to_missing(self, index: int) -> float:
        """How like the line is to the likest of the missing labels, in [0, 1]."""
        return max((likeness(self.lines[index].text, label) for label in self.missing), default=0.0)

    def above(self, index: int) -> frozenset[str]:
        """The labels of the nearest line above or to the left that has any, empty where none is near."""
        if index not in self._above:
            self._above[index] = self._nearest_labels(index)
        return self._above[index]

    def _nearest_labels(self, index: int) -> frozenset[str]:
        here = self.places[index]
        found, nearest = frozenset[str](), float("inf")
        for other, place in enumerate(self.places):
            if other == index or not self._names[other]:
                continue
            down, aside = here.below(place), here.aside(place)
            if _SAME_ROW < down < _ABOVE and here.overlaps(place, 2 * here.height):
                distance = down + 0.15 * abs(aside)
            elif abs(down) <= _SAME_ROW and 0 < aside < _BESIDE:
                distance = 1.0 + 0.05 * (here.left - place.right) / here.height
            else:
                continue
            if distance < nearest:
                found, nearest = self._names[other], distance
        return found

    def owners(self, index: int) -> frozenset[str]:
        """The labels that claim a line: those that stand in it, else those above or beside it."""
        return self._names[index] or self.above(index)

    def text_of(self, index: int, key: str) -> str:
        """The line's text for a field, without its own label before it, or another's behind it."""
        reading = self.readings[index]
        if reading.rest and key in self._names[index]:
            return reading.rest
        if reading.head and key not in self._names[index]:
            return reading.head
        return self.lines[index].text
