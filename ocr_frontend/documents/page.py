"""A page as a document sees it: which line is a label, which label a line stands under or beside, which are missing.

What a clerk looks at, and the model does not see.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, cmp_to_key

from ocr_frontend.documents.label_words import looks_like_label, share_of_label_words
from ocr_frontend.documents.labels import EMPTY, LabelBook, Reading, book_of
from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.nearest_label import NearestLabels
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.value_texts import ValueTexts
from ocr_frontend.documents.watermarks import likeness_to_static, static_pieces, static_words
from ocr_frontend.documents.wording import Label, likeness
from ocr_frontend.ocr.geometry import Place, aslant, places
from ocr_frontend.ocr.textline import TextLine

_INLINE = 2  # typed values behind their own labels, by which a page prints values there
_NAMES = ("JOB",)  # labels that people are called, too
_FILLERS = 3  # of a machine-readable zone, that no value has


class LabelledPage:
    """The lines of one page, in the prompt's numbering, read for the labels of one document. Built once a card."""

    def __init__(self, spec: DocumentSpec, lines: Sequence[TextLine]) -> None:
        self.spec, self.lines = spec, tuple(lines)
        book = book_of(spec)
        self._labels = {label.name: label for label in book.labels}
        self._typed = {field.key: field.type for field in spec.fields if not field.type.free}
        self.readings: tuple[Reading, ...] = self._read(book)
        self._names = tuple(self._speaking(reading) for reading in self.readings)
        self._texts = ValueTexts(
            self.lines, self.readings, self._names, self._typed, static_words(spec.static), book.read
        )

    def _read(self, book: LabelBook) -> tuple[Reading, ...]:
        """As the book reads them; where values with a form of their own stand behind their labels, other labels that
        begin a line count, too, without a colon or a second language."""
        found = [book.read(line.text) for line in self.lines]
        closer = {
            n: book.read(line.text, inline=True) for n, line in enumerate(self.lines) if not found[n].hits and line.text
        }
        proven = {
            key
            for reading in (*found, *closer.values())
            for key in reading.labels & self._typed.keys()
            if reading.rest and self._typed[key].holds(reading.rest)
        }
        if len(proven) >= _INLINE:
            known = frozenset().union(*(reading.labels for reading in found))  # `PROF. DE LYCEE` under PROFESSION
            more = {n: reading for n, reading in closer.items() if reading.rest and not reading.labels <= known}
            found = [more.get(n, each) for n, each in enumerate(found)]
        return tuple(EMPTY if self._is_a_name(n, found) else each for n, each in enumerate(found))

    def _is_a_name(self, line: int, found: Sequence[Reading]) -> bool:
        """Whether a label that is a name, too, is none here: its field's label was read elsewhere, and not in the other
        language alone."""
        reading = found[line]
        if letters(self.lines[line].text.removesuffix(reading.rest)) not in _NAMES or not reading.hits:
            return False
        languages = {each for _, each in reading.hits}
        return any(
            names & reading.labels and (language == "both" or language in languages)
            for n, other in enumerate(found)
            if n != line
            for names, language in other.hits
        )

    def _speaking(self, reading: Reading) -> frozenset[str]:
        """The labels in a line, damaged ones too, without the static lines."""
        names = reading.damaged or reading.labels
        return frozenset(name for name in names if not name.startswith("="))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where each line stands on the level page."""
        return tuple(places(self.lines))

    @cached_property
    def value_places(self) -> tuple[Place, ...]:
        """The same without labels before or behind a value in its line, by their share of its letters."""
        return tuple(map(_without_label, self.places, self.lines, self.readings))

    def apart(self, upper: int, lower: int) -> float:
        """How far a line is from being set under another one's value, in its heights: by the edge or the middle that
        they share, or, where a label stands before the value in its line, by beginning anywhere under the label."""
        value, line, below = self.value_places[upper], self.places[upper], self.places[lower]
        shared = value.apart(below)
        if line.left == value.left:
            return shared
        return min(shared, max(0.0, line.left - below.left, below.left - value.left) / below.height)

    def shared(self, index: int) -> frozenset[str]:
        """The fields that have their values in a line of several."""
        return self._shared[index]

    @cached_property
    def _shared(self) -> tuple[frozenset[str], ...]:
        return tuple(map(self._texts.shared, range(len(self.lines))))

    def labels_in(self, index: int) -> frozenset[str]:
        """The labels in a line: keys of fields, names with + for labels that have no field."""
        return self._names[index]

    def is_label(self, index: int) -> bool:
        """Whether the line is nothing but labels or a static line, damaged or not, or is no value of any field: it runs
        across the page's text, or belongs to a machine-readable zone."""
        reading = self.readings[index]
        return reading.bare or bool(reading.damaged) or self._no_value[index]

    def only_label(self, index: int, key: str) -> bool:
        """Whether the line is a label, and holds no value of the field beside it."""
        return self.is_label(index) and self.text_of(index, key) == self.lines[index].text

    @cached_property
    def _no_value(self) -> tuple[bool, ...]:
        across = zip(aslant(self.lines), self.lines, strict=True)
        return tuple(tilted or line.text.count("<") >= _FILLERS for tilted, line in across)

    @cached_property
    def missing(self) -> tuple[Label, ...]:
        """Labels that the document prints and that were read nowhere."""
        read = frozenset().union(*self._names)
        expected = (label for label in self._labels.values() if not label.optional and not label.name.startswith("="))
        return tuple(label for label in expected if label.name not in read)

    def may_be_label(self, index: int) -> bool:
        """Whether a line that holds no label of this document reads like one of another wording or document."""
        return self._may_be_labels[index]

    @cached_property
    def _may_be_labels(self) -> tuple[bool, ...]:
        named = zip(self._names, self.lines, strict=True)
        return tuple(not names and looks_like_label(line.text) for names, line in named)

    @cached_property
    def label_words(self) -> tuple[float, ...]:
        """How many of each line's words are words of labels, in [0, 1]."""
        return tuple(share_of_label_words(line.text) for line in self.lines)

    @cached_property
    def like_static(self) -> tuple[float, ...]:
        """How like each line is to a piece of what the document always prints, in [0, 1]."""
        pieces = static_pieces(self.spec.static)
        return tuple(likeness_to_static(line.text, pieces) for line in self.lines)

    def likeness_to_missing(self, index: int) -> float:
        """How like the line is to the likest of the missing labels, in [0, 1]."""
        return max((likeness(self.lines[index].text, label) for label in self.missing), default=0.0)

    @cached_property
    def nearest(self) -> NearestLabels:
        """Which label stands next to a line."""
        return NearestLabels(self.places, self._names, self._fitting)

    def fitting(self, index: int) -> frozenset[str]:
        """The fields with a form of their own (a date, a number, M or F) that the whole line is a value of."""
        return self._fitting[index]

    @cached_property
    def _fitting(self) -> tuple[frozenset[str], ...]:
        typed = self._typed.items()
        return tuple(frozenset(key for key, kind in typed if kind.holds(line.text)) for line in self.lines)

    def unlike(self, index: int) -> frozenset[str]:
        """The fields with a form of their own that the line holds no value of."""
        return frozenset(self._typed) - self.fitting(index)

    def owners(self, index: int) -> frozenset[str]:
        """The labels that claim a line: those that stand in it, else those next to it."""
        return self._names[index] or self.nearest.of(index)

    def in_order_of_labels(self, keys: Sequence[str]) -> list[str]:
        """Fields by where their labels stand, from left to right, those below each other from top to bottom; as they
        are given where a label was not read."""
        at = dict[str, Place]()
        for names, place in zip(self._names, self.places, strict=True):
            for key in names.intersection(keys):
                at.setdefault(key, place)
        if len(at) < len(keys):
            return list(keys)

        def first(one: str, other: str) -> int:
            a, b = at[one], at[other]
            aside = a.left - b.left
            return round(aside if abs(aside) > a.height else a.top - b.top)

        return sorted(keys, key=cmp_to_key(first))

    def text_of(self, index: int, key: str) -> str:
        """The line's text for a field, without its own label before or behind it, another's behind it, or what a
        watermark left at its end."""
        return self._texts.of(index, key)

    def has_rest(self, index: int, key: str) -> bool:
        """Whether `text_of` leaves out what a watermark left."""
        return self._texts.has_rest(index, key)


def _without_label(place: Place, line: TextLine, reading: Reading) -> Place:
    whole = len(line.text)
    if reading.rest:
        return replace(place, left=place.right - (place.right - place.left) * len(reading.rest) / whole)
    if reading.head:
        return replace(place, right=place.left + (place.right - place.left) * len(reading.head) / whole)
    return place
