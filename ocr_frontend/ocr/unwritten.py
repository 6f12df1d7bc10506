"""What a line's recognition sees without writing it: a narrow space, and the marks of a letter.

CTC writes the likeliest character of each step, and in a narrow gap between two words that is its blank, even where
the space comes next with a third of the probability: `DZAMEKLAURENCE`. For capitals with two dots or a circumflex
PP-OCRv6 has columns that it hardly uses: `MOISE`, `MOÍSE`, `GAÉLLE`, `BÜCHERON`. But it never gives them a probability
where another mark is printed. The counts behind the numbers are in docs/lab-notes.md.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ocr_frontend.ocr.gaps import LEAST, gap_widths, stands_out

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_SPACE, _STANDS_OUT = 0.2, 8
"""A space that is that likely, and so many times as likely as in the line's middle gap: letters set wide apart are no
words. Six of seven are right on scans that nobody here drew, and nine of nine on drawn cards."""
_NO_GAP = frozenset(" -–")
_FEWEST_GAPS = 3  # of a line, that tell a wide one
_MOST = 0.5
_MARKED = {"I": 0.1}
"""Marks of a capital that was written without one are seen from there on, of other capitals where they have most: of
1,032 I without dots the likeliest had 0.026, of 9 with dots 0.255. A blurred E has as much without any."""
_DOTTED = ("AO", "L", 0.05)
"""JOËL, GAËL: an E between these letters has dots from there on; of 13 without, the likeliest had 0.003."""
_SMALL = {"i": ("ïî", 0.05), "o": ("ô", 0.1)}
"""Marks of small letters: written where the letter has none, or one that French has not, and they have so much; of 401
small i without dots the likeliest had 0.023, of 8 with dots 0.01, 0.07 and more."""
_MARKS = {"I": "ÎÍÌÏ", "E": "ÉÈÊË", "U": "ÛÜÙÚ", "O": "ÔÖÓ", "A": "ÀÂÄÁ"}
_UNDERRATED = {"Ï": 0.01, "Ë": 0.03, "È": 0.2, "Ê": 0.1, "Û": 0.02, "Ô": 0.1}
"""Marks that are printed where they have so much of the probability of their letter's marks, in this order."""
_CERTAIN = {"Î": 0.85, "Í": 0.95, "Ì": 0.95, "Ú": 0.95, "Ó": 0.95, "Á": 0.95}
_ELSE = {"Î": "Ï", "Í": "Ï", "Ì": "Ï", "Ú": "U", "Ó": "O", "Á": "A"}
"""Marks that are printed from so much on, and what else they are: two dots run together, or a line that crosses the
letter. Names of other states have them."""
_FOREIGN_SMALL = "íìöóò"
_OF = {one: letter for letter, marks in _MARKS.items() for mark in marks for one in (letter, mark, mark.lower())}
_WATCHED = " " + "".join(mark + mark.lower() for marks in _MARKS.values() for mark in marks)


@dataclass(frozen=True, slots=True)
class _Written:
    """One character of a line, and the steps that say it: from `first` to `last`."""

    text: str
    first: int
    last: int


class Unwritten:
    """For one model; characters: of each of its output columns, CTC's blank first."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = characters
        self._watched = {text: at for at, text in enumerate(characters) if len(text) == 1 and text in _WATCHED}
        self._columns = {text: at for at, text in enumerate(characters) if len(text) == 1}
        self._places = {text: place for place, text in enumerate(self._watched)}

    @property
    def columns(self) -> Numbers:
        """Of the model, those whose probabilities `mended` wants to see."""
        return np.array(list(self._watched.values()), np.int64)

    def mended(self, numbers: Any, scores: Any, watched: Floats, line: Floats | None = None) -> tuple[Numbers, Floats]:
        """A line's likeliest characters with the spaces and dots that were seen.

        numbers, scores: of each step, the likeliest column and its probability, [steps]; watched: [steps, columns];
        line: what recognition saw, (3, height, width), where the engine hands it on.
        """
        numbers, scores = np.array(numbers, np.int64), np.array(scores, np.float32)
        written = list(self._written(numbers))
        if " " in self._places:
            spaces = watched[:, self._places[" "]]
            if line is not None:
                self._narrow_space(numbers, scores, spaces, written, line)
            self._space(numbers, scores, spaces, written)
        for before, one, after in zip([None, *written], written, [*written[1:], None], strict=False):
            if one.text in _OF and _in_capitals(before, after):
                self._mark(numbers, scores, watched, one, _between(before, after))
            elif one.text in _SMALL or one.text in _FOREIGN_SMALL:
                self._mark_small(numbers, scores, watched, one)
        return numbers, scores

    def _written(self, numbers: Numbers) -> Iterator[_Written]:
        """CTC: equal steps beside each other are one character, the first column is none."""
        starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)] if len(numbers) else []
        for first, end in pairwise(starts):
            if numbers[first]:
                yield _Written(self._characters[int(numbers[first])], first, end - 1)

    def _space(self, numbers: Numbers, scores: Floats, spaces: Floats, written: Sequence[_Written]) -> None:
        """Never between two digits, a number keeps its form, nor beside a hyphen, which some faces set wide."""
        gaps = {
            one.last + 1 + int(spaces[one.last + 1 : other.first].argmax()): one.text + other.text
            for one, other in _neighbours(written)
            if other.first > one.last + 1
        }
        likely = spaces[list(gaps)]
        for place, (at, beside) in enumerate(gaps.items()):
            others = np.median(np.delete(likely, place)) if len(gaps) > 1 else 0
            if spaces[at] >= max(_SPACE, _STANDS_OUT * others) and not beside.isdigit():
                numbers[at], scores[at] = self._watched[" "], spaces[at]

    def _narrow_space(
        self, numbers: Numbers, scores: Floats, spaces: Floats, written: Sequence[_Written], line: Floats
    ) -> None:
        """Between letters, where the ink says so, too, which is looked at only where a space is possible."""
        pairs = _neighbours(written)
        inside = [slice(one.last + 1, other.first) for one, other in pairs]
        likely = [float(spaces[steps].max(initial=0.0)) for steps in inside]
        possible = [
            n for n, (one, other) in enumerate(pairs) if likely[n] >= LEAST and (one.text + other.text).isalpha()
        ]
        if not possible or len(pairs) < _FEWEST_GAPS:
            return
        widths = gap_widths(line, [(one.first, other.last) for one, other in pairs], len(numbers))
        for n in possible:
            if stands_out(widths[n], widths[:n] + widths[n + 1 :], likely[n]):
                at = inside[n].start + int(spaces[inside[n]].argmax())
                numbers[at], scores[at] = self._watched[" "], spaces[at]

    def _mark(self, numbers: Numbers, scores: Floats, watched: Floats, one: _Written, dotted: bool) -> None:
        letter, steps = _OF[one.text], slice(one.first, one.last + 1)
        known = [mark for mark in _MARKS[letter] if mark in self._places]
        if not known:
            return
        seen = np.stack([watched[steps, self._places_of(mark)].sum(axis=1) for mark in known])
        total = seen.sum(axis=0)
        at = int(total.argmax())
        dotted = dotted and letter == "E" and "Ë" in known
        least = _DOTTED[2] if dotted else _MARKED.get(letter, _MOST)
        if total[at] >= (least if one.text == letter else 0):
            mark = "Ë" if dotted else _printed(dict(zip(known, seen[:, at].tolist(), strict=True)))
            if (column := self._columns.get(mark)) is not None:
                numbers[steps], scores[steps] = column, total[at]

    def _mark_small(self, numbers: Numbers, scores: Floats, watched: Floats, one: _Written) -> None:
        letter, steps = unicodedata.normalize("NFD", one.text)[0], slice(one.first, one.last + 1)
        marks, least = _SMALL[letter]
        seen = {mark: float(watched[steps, self._places[mark]].max()) for mark in marks if mark in self._places}
        mark = max(seen, key=lambda each: seen[each], default="")
        if mark and seen[mark] >= least:
            numbers[steps], scores[steps] = self._watched[mark], seen[mark]

    def _places_of(self, mark: str) -> list[int]:
        return [self._places[each] for each in (mark, mark.lower()) if each in self._places]


def _neighbours(written: Sequence[_Written]) -> list[tuple[_Written, _Written]]:
    """Characters beside each other between which a space may be missing."""
    return [(one, other) for one, other in pairwise(written) if not _NO_GAP & {one.text, other.text}]


def _printed(seen: Mapping[str, float]) -> str:
    """Which mark a capital has. seen: the probabilities of its marks."""
    total = sum(seen.values())
    for mark, least in _UNDERRATED.items():
        if seen.get(mark, 0.0) >= least * total:
            return mark
    likeliest = max(seen, key=lambda mark: seen[mark])
    return likeliest if seen[likeliest] >= _CERTAIN.get(likeliest, 0.0) else _ELSE[likeliest]


def _between(before: _Written | None, after: _Written | None) -> bool:
    """Whether an E between them has dots."""
    first, last, _ = _DOTTED
    return before is not None and after is not None and before.text in first and after.text in last


def _in_capitals(*beside: _Written | None) -> bool:
    letters = [one.text for one in beside if one is not None and one.text.isalpha()]
    return bool(letters) and all(letter.isupper() for letter in letters)
