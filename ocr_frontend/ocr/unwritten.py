"""What a line's recognition sees without writing it: a narrow space, the marks of a letter, the 1 of an ordinal.

CTC writes the likeliest character of each step, and in a narrow gap between two words that is its blank, even where
the space comes next with a third of the probability: `DZAMEKLAURENCE`. Which mark a letter has, say `marks`. The counts
behind the numbers are in docs/lab-notes.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ocr_frontend.ocr.gaps import LEAST, gap_widths, stands_out
from ocr_frontend.ocr.marks import LETTER_OF, MARKS, MAY_BE_MARKED, marks_of_small, of_capital, of_small

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_SPACE, _STANDS_OUT = 0.2, 8
"""A space that is that likely, and so many times as likely as in the line's middle gap: letters set wide apart are no
words. Six of seven are right on scans that nobody here drew, and nine of nine on drawn cards."""
_NO_GAP = frozenset(" -–")
_ORDINALS = frozenset({"ler", "lère", "lere"})
_FEWEST_GAPS = 3  # of a line, that tell a wide one
_WATCHED = " " + "".join(mark + mark.lower() for marks in MARKS.values() for mark in marks)


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
            if one.text in LETTER_OF and _in_capitals(before, after):
                self._mark_capital(numbers, scores, watched, one, (before, after))
            elif one.text in MAY_BE_MARKED:
                self._mark_small(numbers, scores, watched, one)
        for one in _ordinals(written):
            numbers[one.first : one.last + 1] = self._columns.get("1", numbers[one.first])
        return numbers, scores

    def least_sure(self, numbers: Any, scores: Any) -> float:
        """The probability of a line's least sure letter or digit, 1 where there is none; both as for `mended`."""
        written = self._written(np.asarray(numbers, np.int64))
        return min((float(max(scores[one.first : one.last + 1])) for one in written if one.text.isalnum()), default=1.0)

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
            if spaces[at] < _SPACE or beside.isdigit():
                continue
            others = np.median(np.delete(likely, place)) if len(gaps) > 1 else 0
            if spaces[at] >= _STANDS_OUT * others:
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

    def _mark_capital(
        self, numbers: Numbers, scores: Floats, watched: Floats, one: _Written, beside: tuple[_Written | None, ...]
    ) -> None:
        steps = slice(one.first, one.last + 1)
        known = [mark for mark in MARKS[LETTER_OF[one.text]] if mark in self._places]
        if not known:
            return
        seen = np.stack([watched[steps, self._places_of(mark)].sum(axis=1) for mark in known])
        at = int(seen.sum(axis=0).argmax())
        before, after = ("" if each is None else each.text for each in beside)
        mark = of_capital(one.text, before, after, dict(zip(known, seen[:, at].tolist(), strict=True)))
        if (column := self._columns.get(mark)) is not None:
            numbers[steps], scores[steps] = column, seen[:, at].sum()

    def _mark_small(self, numbers: Numbers, scores: Floats, watched: Floats, one: _Written) -> None:
        steps, marks = slice(one.first, one.last + 1), marks_of_small(one.text)
        seen = {mark: float(watched[steps, self._places[mark]].max()) for mark in marks if mark in self._places}
        if mark := of_small(one.text, seen):
            numbers[steps], scores[steps] = self._watched[mark], seen[mark]

    def _places_of(self, mark: str) -> list[int]:
        return [self._places[each] for each in (mark, mark.lower()) if each in self._places]


def _ordinals(written: Sequence[_Written]) -> Iterator[_Written]:
    """The small l of a word that is no word but 1er or 1ère, as districts have it: `Yaoundé 1er`."""
    word: list[_Written] = []
    for one in (*written, None):
        if one is not None and one.text.isalnum():
            word.append(one)
            continue
        if "".join(each.text for each in word) in _ORDINALS:
            yield word[0]
        word = []


def _neighbours(written: Sequence[_Written]) -> list[tuple[_Written, _Written]]:
    """Characters beside each other between which a space may be missing."""
    return [(one, other) for one, other in pairwise(written) if not _NO_GAP & {one.text, other.text}]


def _in_capitals(*beside: _Written | None) -> bool:
    letters = [one.text for one in beside if one is not None and one.text.isalpha()]
    return bool(letters) and all(letter.isupper() for letter in letters)
