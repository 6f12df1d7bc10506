"""What a line's recognition sees without writing it: a narrow space, and the two dots of a capital I.

CTC writes the likeliest character of each step, and in a narrow gap between two words that is its blank, even where
the space comes next with a third of the probability: `DZAMEKLAURENCE`. For a capital I with two dots PP-OCRv6 has a
column, but it spreads what it sees over the columns around it: `MOISE`, `MOÍSE`, `MOïSE`. The counts behind the numbers
are in docs/lab-notes.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_SPACE, _STANDS_OUT = 0.2, 8
"""A space that is that likely, and so many times as likely as in the line's middle gap: letters set wide apart are no
words. Six of seven are right on scans that nobody here drew, and nine of nine on drawn cards."""
_MARKED = 0.1
"""A mark over a capital I is seen from there on: of 1,032 without one the likeliest had 0.026, of 9 with one 0.255."""
_ONE_MARK = 0.85
"""What Î and Í have at least where they are printed; what is spread over several of them is an Ï."""
_MARKS = ("Îî", "Íí", "Ìì", "Ïï")
_WATCHED = " " + "".join(_MARKS)


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
        self._places = {text: place for place, text in enumerate(self._watched)}

    @property
    def columns(self) -> Numbers:
        """Of the model, those whose probabilities `mended` wants to see."""
        return np.array(list(self._watched.values()), np.int64)

    def mended(self, numbers: Any, scores: Any, watched: Floats) -> tuple[Numbers, Floats]:
        """A line's likeliest characters with the spaces and dots that were seen.

        numbers, scores: of each step, the likeliest column and its probability, [steps]; watched: [steps, columns].
        """
        numbers, scores = np.array(numbers, np.int64), np.array(scores, np.float32)
        written = list(self._written(numbers))
        if " " in self._places:
            self._space(numbers, scores, watched[:, self._places[" "]], written)
        if "Ï" in self._places:
            for before, one, after in zip([None, *written], written, [*written[1:], None], strict=False):
                if one.text in "I" + _WATCHED[1:] and _in_capitals(before, after):
                    self._mark(numbers, scores, watched, one)
        return numbers, scores

    def _written(self, numbers: Numbers) -> Iterator[_Written]:
        """CTC: equal steps beside each other are one character, the first column is none."""
        starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)] if len(numbers) else []
        for first, end in pairwise(starts):
            if numbers[first]:
                yield _Written(self._characters[int(numbers[first])], first, end - 1)

    def _space(self, numbers: Numbers, scores: Floats, spaces: Floats, written: Sequence[_Written]) -> None:
        """Never between two digits: a number keeps its form."""
        gaps = {
            one.last + 1 + int(spaces[one.last + 1 : other.first].argmax()): one.text + other.text
            for one, other in pairwise(written)
            if other.first > one.last + 1 and " " not in one.text + other.text
        }
        likely = spaces[list(gaps)]
        for place, (at, beside) in enumerate(gaps.items()):
            others = np.median(np.delete(likely, place)) if len(gaps) > 1 else 0
            if spaces[at] >= max(_SPACE, _STANDS_OUT * others) and not beside.isdigit():
                numbers[at], scores[at] = self._watched[" "], spaces[at]

    def _mark(self, numbers: Numbers, scores: Floats, watched: Floats, one: _Written) -> None:
        steps = slice(one.first, one.last + 1)
        seen = {marks[0]: watched[steps, self._places_of(marks)].sum(axis=1) for marks in _MARKS}
        total = np.sum(list(seen.values()), axis=0)
        at = int(total.argmax())
        if total[at] >= _MARKED:
            likeliest = max(seen, key=lambda mark: float(seen[mark][at]))
            mark = likeliest if seen[likeliest][at] >= _ONE_MARK else "Ï"
            numbers[steps], scores[steps] = self._watched[mark], total[at]

    def _places_of(self, characters: str) -> list[int]:
        return [self._places[one] for one in characters if one in self._places]


def _in_capitals(*beside: _Written | None) -> bool:
    letters = [one.text for one in beside if one is not None and one.text.isalpha()]
    return bool(letters) and all(letter.isupper() for letter in letters)
