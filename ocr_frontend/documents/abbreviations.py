"""Labels whose words are cut short with a full stop: `AUT. COMPET./ISSUING AUTH.`, `PROF./OCCUP.: MARIN`."""

import re
from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.letters import tokens
from ocr_frontend.documents.wording import Label

Word = tuple[str, bool]  # its letters, and whether a full stop follows
_FEWEST = 2  # letters of a word that is cut short
_JOINT = 2  # letters of a word between others (DE, OF, D): left out on both sides
_ALIKE = 0.75  # of the letters of a word that is not cut short
_STOP = re.compile(r"\s*\.")
_CUT = re.compile(r"(?<=[^\W\d_])\s*\.")
_INITIALS = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]\.\s?){2,}")  # P.O.B.


class Abbreviations:
    """labels: of the document. Their wordings are compared word by word, in order, each language alone or both."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self._begins: dict[str, list[tuple[str, tuple[str, ...]]]] = {}  # by their first letter
        for label in labels:
            for wording in label.wordings:
                if words := _long(wording):
                    self._begins.setdefault(words[0][0], []).append((label.name, words))

    def read(self, text: str) -> frozenset[str]:
        """The names of the label that a text with words cut short is; empty where none of them is, or it is another."""
        words = _words(text)
        if not any(short for _, short in words):
            return frozenset()
        return frozenset(self._names(words))

    def before(self, text: str) -> tuple[frozenset[str], str] | None:
        """The label that a text begins with, up to a word that is cut short, and what stands behind it."""
        ends = [found.end() for found in _CUT.finditer(text)]
        for end in reversed(ends):
            names, behind = self.read(text[:end]), text[end:].strip(" /:.-–,;)|")
            if names and behind:
                return names, behind
        return None

    def _names(self, words: Sequence[Word]) -> Iterable[str]:
        found = self._matching(words)
        for name, length in found:
            rest = words[length:]
            if not rest or any(other == name and size == len(rest) for other, size in self._matching(rest)):
                yield name

    def _matching(self, words: Sequence[Word]) -> list[tuple[str, int]]:
        """The labels whose wording the words begin with, and how many of these it takes."""
        if not words:
            return []
        return [
            (name, len(wording))
            for name, wording in self._begins.get(words[0][0][0], ())
            if len(wording) <= len(words) and all(map(_same, words, wording))
        ]


def _words(text: str) -> list[Word]:
    text = _joined(text)
    words = [(word, bool(_STOP.match(text, end))) for word, _, end in tokens(text)]
    return [(word, short) for word, short in words if short or len(word) > _JOINT]


def _long(wording: str) -> tuple[str, ...]:
    return tuple(word for word, _, _ in tokens(_joined(wording)) if len(word) > _JOINT)


def _joined(text: str) -> str:
    """Initials as the one word that they stand for."""
    return _INITIALS.sub(lambda found: re.sub(r"\W", "", found.group()) + " ", text)


def _same(read: Word, word: str) -> bool:
    """Whether a word was read of a label's: its beginning, where it is cut short."""
    text, short = read
    if short and len(text) >= _FEWEST and word.startswith(text):
        return True
    return Levenshtein.normalized_similarity(text, word, score_cutoff=_ALIKE) >= _ALIKE
