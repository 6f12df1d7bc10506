"""Which document a picture shows, by its labels, its marks, its zone and its shape; no model is asked.

Every label that was read and that a document prints speaks for it, every other one against it. A label that is missing
says little: photos are cut and OCR loses lines. Only whole lines count: a word inside a value says nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ocr_frontend.documents.by_values import told_by_values
from ocr_frontend.documents.clues import foreign, mrz_of, number_stands, proven, shape_fits
from ocr_frontend.documents.labels import LabelBook, Reading
from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.registry import Documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.wording import Label, labels_of
from ocr_frontend.ocr.textline import TextLine

NO_LABELS = "No labels of a known document were read on it."
TOO_FEW = "Too few labels of a known document were read on it."
OTHERS = "It has labels that no known document has together."
_OF_OTHERS = 1 / 3  # labels that the document does not print, to one that it prints
_AGAINST = 1.5  # times what a label of the document counts
_MARGIN = 1.0  # by which the best document must lead
_MARK, _MRZ = 3.0, 3.0  # a mark or a zone is as good as three labels
_DIGITS, _TOPMOST = 6, 3  # of a value: a date, a number; lines: a community of states stands before its member
_TWICE = 3  # labels that stand on the page twice, from which on it shows two documents


@dataclass(frozen=True, slots=True)
class Detection:
    """`document` is None when the picture shows none that can be read, or not clearly which; `reason` then says why.

    sure_none: it is clearly something else, rather than a document that can hardly be read.
    several: it seems to show more than one document.
    guessed: its labels were not read, its values say so (by_values.py).
    """

    document: DocumentSpec | None
    reason: str = ""
    sure_none: bool = False
    several: bool = False
    guessed: bool = False


class Classifier:
    """Built once for a set of documents."""

    def __init__(self, documents: Documents) -> None:
        self._specs = dict(documents.every)
        self._book = LabelBook(label for spec in self._specs.values() for label in _named(spec))
        self._states = {
            state for spec in self._specs.values() if spec.machine_readable for state in spec.machine_readable.states
        }
        self._bilingual = {
            name: sum(bool(each.printed.fr and each.printed.en) for each in spec.fields) * 2 > len(spec.fields)
            for name, spec in self._specs.items()
        }

    def labels(self, lines: Sequence[TextLine]) -> int:
        """How many different labels of any document were read: what tells an upright page."""
        hits = {min(names) for line in lines for names, _ in self._book.read(line.text).hits}
        return len(hits)

    def read(self, lines: Sequence[TextLine]) -> list[Reading]:
        """Each line in terms of the labels of all documents."""
        return [self._book.read(line.text) for line in lines]

    def detect(self, lines: Sequence[TextLine], readings: Sequence[Reading] | None = None) -> Detection:
        """The document that the lines were read from. readings: theirs, where they are known."""
        readings = self.read(lines) if readings is None else readings
        hits = [(names, language) for reading in readings for names, language in _hits(reading)]
        mrz = mrz_of(lines)
        scores = {name: self._score(spec, hits, lines, mrz) for name, spec in self._specs.items()}
        readable = sorted((n for n in scores if self._specs[n].readable), key=lambda n: -scores[n])
        others = [n for n in scores if not self._specs[n].readable]
        if not readable:
            return Detection(None, NO_LABELS, sure_none=True)
        best = self._specs[readable[0]]
        strange_state = foreign(best, self._states, _header(best, lines, readings), lines, mrz)
        other = max(others, key=lambda n: (_marks(self._specs[n], hits), scores[n]), default=None)
        if other is not None and self._is_other(self._specs[other], scores[other], scores[best.name], readings):
            return Detection(None, f"It looks like {self._specs[other].title.en}.", sure_none=True)
        if strange_state:
            return Detection(None, f"It looks like {strange_state}.", sure_none=True)
        if not hits and not mrz:
            return self._guess(hits, lines) or Detection(None, NO_LABELS, sure_none=True)
        reason = self._doubt(best, hits, lines, mrz)
        if reason == TOO_FEW and not mrz and (guess := self._guess(hits, lines)):
            return guess
        if reason is None and len(readable) > 1 and scores[best.name] - scores[readable[1]] < _MARGIN:
            reason = f"It may be {best.name} or {readable[1]}."
        return Detection(best if reason is None else None, reason or "", several=_twice(best, hits) >= _TWICE)

    def printed(self, readings: Sequence[Reading]) -> list[dict[str, frozenset[tuple[str, str]]]]:
        """For each line the labels in it with their language, by each document that can be read and prints them.

        Static lines are left out, and labels that OCR damaged: what is guessed is no evidence against a card.
        """
        return [
            {name: found for name, spec in self._specs.items() if spec.readable and (found := _own(name, reading))}
            for reading in readings
        ]

    def _score(
        self, spec: DocumentSpec, hits: Sequence["_Hit"], lines: Sequence[TextLine], mrz: tuple[str, str] | None
    ) -> float:
        own = {name for names, _ in hits for name in names if name.startswith(f"{spec.name} ")}
        marks = sum(name.startswith(f"{spec.name} !") for name in own)
        static = sum(name.startswith(f"{spec.name} =") for name in own)
        strange = len({min(names) for names, _ in hits if not _of(spec, names)})
        score = len(own) - marks - 0.5 * static - _AGAINST * strange + _MARK * min(marks, 1)
        machine = spec.machine_readable
        if mrz and machine and machine.format == mrz[0] and (not machine.states or mrz[1] in machine.states):
            score += _MRZ
        return score + (shape_fits(lines, spec.page) + number_stands(lines, spec) if spec.readable else 0.0)

    def _guess(self, hits: Sequence["_Hit"], lines: Sequence[TextLine]) -> Detection | None:
        """By values, of the documents that print every label that was read."""
        specs = [one for one in self._specs.values() if one.readable and all(_of(one, names) for names, _ in hits)]
        found = told_by_values(specs, lines)
        return None if found is None else Detection(found, guessed=True)

    def _is_other(self, other: DocumentSpec, score: float, best: float, readings: Sequence[Reading]) -> bool:
        """A document that is not read leads, or its mark stands where titles stand: below, it is a value's line."""
        if score >= _MARK and score > best:
            return True
        title = readings[: max(4, len(readings) // 3)]
        return any(name.startswith(f"{other.name} !") for reading in title if reading.bare for name in reading.labels)

    def _doubt(
        self, best: DocumentSpec, hits: Sequence["_Hit"], lines: Sequence[TextLine], mrz: tuple[str, str] | None
    ) -> str | None:
        """Why the picture may show none of the documents."""
        machine = best.machine_readable
        has_mrz = bool(mrz and machine and mrz[0] == machine.format)
        own = {name for names, _ in hits for name in names if name.startswith(f"{best.name} ")}
        ours = sum(not name.startswith(f"{best.name} =") for name in own)
        strange = len({min(names) for names, _ in hits if not _of(best, names)})
        if strange > _OF_OTHERS * ours + has_mrz:
            return OTHERS
        spoken = Counter(language for names, language in hits if _of(best, names))
        foreign_tongue = self._bilingual[best.name] and not min(spoken["fr"], spoken["en"]) + spoken["both"]
        if not has_mrz and (ours < best.recognise.labels or (foreign_tongue and not proven(lines, best))):
            return TOO_FEW
        return None


_Hit = tuple[frozenset[str], str]


def _hits(reading: Reading) -> Sequence[_Hit]:
    """The labels of a line; of a damaged one the nearest. A mark is read to the letter, or not at all."""
    if reading.damaged and not any(" !" in name for name in reading.damaged):
        return ((reading.damaged, "both"),)
    return reading.hits


def _named(spec: DocumentSpec) -> list[Label]:
    """The document's labels and marks, each with the document's name before its own."""
    marks = [Label(f"!{letters(mark)}", None, (letters(mark),), (), {}) for mark in spec.recognise.marks]
    return [replace(label, name=f"{spec.name} {label.name}") for label in (*labels_of(spec), *marks)]


def _own(document: str, reading: Reading) -> frozenset[tuple[str, str]]:
    """Name, without the document's before it, and language, `fr` and `en` where the line has both."""
    begin = f"{document} "
    return frozenset(
        (name.removeprefix(begin), each)
        for names, language in reading.hits
        for name in names
        if name.startswith(begin) and " =" not in name
        for each in (("fr", "en") if language == "both" else (language,))
    )


def _of(spec: DocumentSpec, names: frozenset[str]) -> bool:
    return any(name.startswith(f"{spec.name} ") for name in names)


def _header(spec: DocumentSpec, lines: Sequence[TextLine], readings: Sequence[Reading]) -> Sequence[TextLine]:
    """The topmost lines before the first that holds a field's label, a number or a date: values have begun there, and
    where a label was not read `REPUBLIQUE DU CONGO` is one."""
    fields = {f"{spec.name} {field.key}" for field in spec.fields}
    begun = (fields & reading.labels or _is_number(line) for line, reading in zip(lines, readings, strict=True))
    first = next((n for n, holds in enumerate(begun) if holds), len(lines))
    return lines[: min(first, _TOPMOST)]


def _is_number(line: TextLine) -> bool:
    return sum(character.isdigit() for character in line.text) >= _DIGITS


def _marks(spec: DocumentSpec, hits: Sequence[_Hit]) -> int:
    return sum(name.startswith(f"{spec.name} !") for names, _ in hits for name in names)


def _twice(spec: DocumentSpec, hits: Sequence[_Hit]) -> int:
    """Labels in both languages that stand on the page more than once."""
    counted = Counter(
        name for names, language in hits if language == "both" for name in names if name.startswith(f"{spec.name} ")
    )
    return sum(count > 1 for name, count in counted.items() if " =" not in name)
