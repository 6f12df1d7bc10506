"""A page as a document sees it: which line is a label, which label a line stands under or beside, which are missing.

What a clerk looks at, and the model does not see.
"""

from collections.abc import Sequence
from functools import cached_property

from ocr_frontend.documents.label_words import looks_like_label
from ocr_frontend.documents.labels import LabelBook, Reading
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.watermarks import static_words, without_rest
from ocr_frontend.documents.wording import Label, labels_of, likeness
from ocr_frontend.ocr.geometry import Place, places
from ocr_frontend.ocr.textline import TextLine

# In heights of the value's line: how far above its middle, and to the left of it, a label's middle may stand.
_ABOVE, _BESIDE = 3.2, 26.0
_SAME_ROW = 0.6
_A_MAJORITY = 1  # values, by which labels under them have to be more than above


class LabelledPage:
    """The lines of one page, in the prompt's numbering, read for the labels of one document. Built once a card."""

    def __init__(self, spec: DocumentSpec, lines: Sequence[TextLine]) -> None:
        self.spec, self.lines = spec, tuple(lines)
        self._labels = {label.name: label for label in labels_of(spec)}
        book = LabelBook(self._labels.values())
        self.readings: tuple[Reading, ...] = tuple(book.read(line.text) for line in self.lines)
        self._static = static_words(spec.static)
        self._typed = frozenset(field.key for field in spec.fields if not field.type.free)
        self._names = tuple(self._speaking(reading) for reading in self.readings)
        self._found: dict[tuple[int, bool], frozenset[str]] = {}  # found so far: rules ask for every field

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

    def only_label(self, index: int, key: str) -> bool:
        """Whether the line is a label, and holds no value of the field beside it."""
        return self.is_label(index) and self.text_of(index, key) == self.lines[index].text

    @cached_property
    def missing(self) -> tuple[Label, ...]:
        """Labels that the document prints and that were read nowhere."""
        read = frozenset().union(*self._names)
        expected = (label for label in self._labels.values() if not label.optional and not label.name.startswith("="))
        return tuple(label for label in expected if label.name not in read)

    def may_be_label(self, index: int) -> bool:
        """Whether a line that holds no label of this document reads like one of another wording or document."""
        return not self._names[index] and looks_like_label(self.lines[index].text)

    def likeness_to_missing(self, index: int) -> float:
        """How like the line is to the likest of the missing labels, in [0, 1]."""
        return max((likeness(self.lines[index].text, label) for label in self.missing), default=0.0)

    @cached_property
    def labels_below(self) -> bool:
        """Whether this page prints its labels under their values: more values that only one type admits say so."""
        above, below = self._agreements
        return below[0] - below[1] > max(above[0] - above[1], 0) + _A_MAJORITY

    @property
    def agreement(self) -> tuple[int, int]:
        """How many values with a form of their own stand next to a label of their type, and how many to another."""
        return self._agreements[self.labels_below]

    @cached_property
    def _agreements(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The same where labels are looked for above, and where below."""
        return self._count(below=False), self._count(below=True)

    def _count(self, below: bool) -> tuple[int, int]:
        fits = [0, 0]
        for index in range(len(self.lines)):
            keys = frozenset() if self._names[index] else self._nearest(index, below)
            fitting = self.fitting(index)
            if keys and fitting:
                fits[not keys & fitting] += 1
        return fits[0], fits[1]

    def fitting(self, index: int) -> frozenset[str]:
        """The fields with a form of their own (a date, a number, M or F) that the whole line is a value of."""
        return self._fitting[index]

    @cached_property
    def _fitting(self) -> tuple[frozenset[str], ...]:
        typed = [spec for spec in self.spec.fields if not spec.type.free]
        found = ([(spec.key, spec.type.find(line.text)) for spec in typed] for line in self.lines)
        return tuple(frozenset(key for key, value in each if value is not None and value.exact) for each in found)

    def nearest(self, index: int) -> frozenset[str]:
        """The labels of the nearest line above (below, where this page has them there) or to the left that has any,
        empty where none is near."""
        return self._nearest(index, self.labels_below)

    def _nearest(self, index: int, below: bool) -> frozenset[str]:
        if (index, below) not in self._found:
            self._found[index, below] = self._nearest_labels(index, below)
        return self._found[index, below]

    def _nearest_labels(self, index: int, below: bool) -> frozenset[str]:
        here = self.places[index]
        found, nearest = frozenset[str](), float("inf")
        for other, place in enumerate(self.places):
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

    def owners(self, index: int) -> frozenset[str]:
        """The labels that claim a line: those that stand in it, else those next to it."""
        return self._names[index] or self.nearest(index)

    def text_of(self, index: int, key: str) -> str:
        """The line's text for a field, without its own label before or behind it, another's behind it, or what a
        watermark left at its end."""
        return without_rest(self._unlabelled(index, key), self._static)

    def _unlabelled(self, index: int, key: str) -> str:
        reading = self.readings[index]
        if reading.rest and key in self._names[index]:
            return reading.rest
        return (reading.head if key not in self._typed else "") or self.lines[index].text
