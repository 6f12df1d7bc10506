"""Which document a picture shows, by its labels, its marks, its zone and its shape; no model is asked.

Every label that was read and that a document prints speaks for it, every other one against it. A label that is missing
says little: photos are cut and OCR loses lines. Only whole lines count: a word inside a value says nothing.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.labels import Label, LabelBook, Reading, labels_of
from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.registry import Documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.ocr.orientation import levelled
from ocr_frontend.ocr.textline import TextLine

NO_LABELS = "No labels of a known document were read on it."
TOO_FEW = "Too few labels of a known document were read on it."
OTHERS = "It has labels that no known document has together."
FOREIGN = "another country's document"
_OF_OTHERS = 1 / 3  # labels that the document does not print, to one that it prints
_AGAINST = 1.5  # times what a label of the document counts
_MARGIN = 1.0  # by which the best document must lead
_MARK, _ZONE = 3.0, 3.0  # a mark or a zone is as good as three labels
_TWICE = 3  # labels that stand on the page twice, from which on it shows two documents
_STATE = re.compile(r"^REPUBLI(?:QUE|C)(?:DU|DELA|DE|OF)([A-Z]{4,})")
_CARD_ZONE = re.compile(r"^[IAC1L|][A-Z<]([A-Z]{3})[A-Z0-9<]{20,}")
_PASSPORT_ZONE = re.compile(r"^P[A-Z<]([A-Z]{3})[A-Z<]{10,}")
_STATE_LIKE = 0.5  # of the letters: a state's name that OCR damaged


@dataclass(frozen=True, slots=True)
class Detection:
    """`document` is None when the picture shows none that can be read, or not clearly which; `reason` then says why.

    sure_none: it is clearly something else, rather than a document that can hardly be read.
    several: it seems to show more than one document.
    """

    document: DocumentSpec | None
    reason: str = ""
    sure_none: bool = False
    several: bool = False


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

    def detect(self, lines: Sequence[TextLine]) -> Detection:
        """The document that the lines were read from."""
        readings = [self._book.read(line.text) for line in lines]
        hits = [(names, language) for reading in readings for names, language in _hits(reading)]
        zone = _zone(lines)
        scores = {name: self._score(spec, hits, lines, zone) for name, spec in self._specs.items()}
        readable = sorted((n for n in scores if self._specs[n].readable), key=lambda n: -scores[n])
        others = [n for n in scores if not self._specs[n].readable]
        if not readable:
            return Detection(None, NO_LABELS, sure_none=True)
        best = self._specs[readable[0]]
        foreign = _foreign(best, self._states, lines, zone)
        other = max(others, key=lambda n: (_marks(self._specs[n], hits), scores[n]), default=None)
        if other is not None and self._is_other(self._specs[other], scores[other], scores[best.name], readings):
            return Detection(None, f"It looks like {self._specs[other].title.en}.", sure_none=True)
        if foreign:
            return Detection(None, f"It looks like {foreign}.", sure_none=True)
        if not hits and not zone:
            return Detection(None, NO_LABELS, sure_none=True)
        reason = self._doubt(best, hits, zone)
        if reason is None and len(readable) > 1 and scores[best.name] - scores[readable[1]] < _MARGIN:
            reason = f"It may be {best.name} or {readable[1]}."
        if reason is not None:
            return Detection(None, reason)
        return Detection(best, several=_twice(best, hits) >= _TWICE)

    def _score(
        self, spec: DocumentSpec, hits: Sequence["_Hit"], lines: Sequence[TextLine], zone: tuple[str, str] | None
    ) -> float:
        own = {name for names, _ in hits for name in names if name.startswith(f"{spec.name} ")}
        marks = sum(name.startswith(f"{spec.name} !") for name in own)
        static = sum(name.startswith(f"{spec.name} =") for name in own)
        strange = len({min(names) for names, _ in hits if not _of(spec, names)})
        score = len(own) - marks - 0.5 * static - _AGAINST * strange + _MARK * min(marks, 1)
        machine = spec.machine_readable
        if zone and machine and machine.format == zone[0] and (not machine.states or zone[1] in machine.states):
            score += _ZONE
        return score + (_shape(lines, spec.page) + _number(lines, spec) if spec.readable else 0.0)

    def _is_other(self, other: DocumentSpec, score: float, best: float, readings: Sequence[Reading]) -> bool:
        """A document that is not read leads, or its mark stands where titles stand: below, it is a value's line."""
        if score >= _MARK and score > best:
            return True
        title = readings[: max(4, len(readings) // 3)]
        return any(name.startswith(f"{other.name} !") for reading in title if reading.bare for name in reading.labels)

    def _doubt(self, best: DocumentSpec, hits: Sequence["_Hit"], zone: tuple[str, str] | None) -> str | None:
        """Why the picture may show none of the documents."""
        machine = best.machine_readable
        has_zone = bool(zone and machine and zone[0] == machine.format)
        own = {name for names, _ in hits for name in names if name.startswith(f"{best.name} ")}
        ours = sum(not name.startswith(f"{best.name} =") for name in own)
        strange = len({min(names) for names, _ in hits if not _of(best, names)})
        if strange > _OF_OTHERS * ours + has_zone:
            return OTHERS
        spoken = Counter(language for names, language in hits if _of(best, names))
        both = min(spoken["fr"], spoken["en"]) + spoken["both"]
        if not has_zone and (ours < best.recognise.labels or (self._bilingual[best.name] and not both)):
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
    return [
        Label(f"{spec.name} {label.name}", label.field, label.forms, label.pairs, label.languages)
        for label in (*labels_of(spec), *marks)
    ]


def _of(spec: DocumentSpec, names: frozenset[str]) -> bool:
    return any(name.startswith(f"{spec.name} ") for name in names)


def _marks(spec: DocumentSpec, hits: Sequence[_Hit]) -> int:
    return sum(name.startswith(f"{spec.name} !") for names, _ in hits for name in names)


def _twice(spec: DocumentSpec, hits: Sequence[_Hit]) -> int:
    """Labels in both languages that stand on the page more than once."""
    counted = Counter(
        name for names, language in hits if language == "both" for name in names if name.startswith(f"{spec.name} ")
    )
    return sum(count > 1 for name, count in counted.items() if " =" not in name)


def _zone(lines: Sequence[TextLine]) -> tuple[str, str] | None:
    """Format and state of a machine-readable zone, by its first line; digits tell a card's from a line of names."""
    for line in lines:
        text = re.sub(r"\s", "", line.text.upper())
        if (match := _PASSPORT_ZONE.match(text)) and text.count("<") >= 3:
            return "TD3", match.group(1)
        match = _CARD_ZONE.match(text)
        if match and "<" in text and sum(character.isdigit() for character in text) >= 6:
            return "TD1", match.group(1)
    return None


def _foreign(
    best: DocumentSpec, states: Collection[str], lines: Sequence[TextLine], zone: tuple[str, str] | None
) -> str | None:
    """Whether header or zone name another state than those that issue the best document, or any known one."""
    issuers = best.recognise.issuers
    if zone and issuers and states and not any(_nearly(zone[1], state) for state in states):
        return "another country's card"
    named = [match.group(1) for line in lines if (match := _STATE.match(letters(line.text)))]
    if issuers and named and not any(_like(name, issuer) for name in named for issuer in issuers):
        return FOREIGN
    return None


def _nearly(read: str, state: str) -> bool:
    """A state's three letters, two of which were read, or none that differ for sure."""
    return sum(a == b for a, b in zip(read, state, strict=False)) >= 2


def _like(name: str, issuer: str) -> bool:
    return Levenshtein.normalized_similarity(name[: len(issuer) + 1], issuer) >= _STATE_LIKE


def _number(lines: Sequence[TextLine], spec: DocumentSpec) -> float:
    """1 where the document's number without a label stands where it prints it."""
    wanted = spec.recognise
    if not wanted.number:
        return 0.0
    rows = [i for i, line in enumerate(lines) if re.fullmatch(rf"\d{{{wanted.number}}}", line.text.strip())]
    if len(rows) != 1:
        return 0.0
    first = 3 * rows[0] < len(lines)
    return float(first == (wanted.number_at == "first"))


def _shape(lines: Sequence[TextLine], page: str) -> float:
    """0.5 where the lines fill a rectangle of the document's shape, -0.5 of the other, 0 of neither clearly."""
    if len(lines) < 4 or page == "any":
        return 0.0
    corners = [corner for line in levelled(lines) for corner in line.box]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    if 1 / 1.15 <= width / max(1, height) <= 1.15:
        return 0.0
    return 0.5 if (width > height) == (page == "landscape") else -0.5
