"""What a watermark leaves: the end of a static word (`ECIMEN`) behind a value or on to it, or a piece as a line."""

import re
from collections.abc import Iterable

from rapidfuzz import fuzz

from ocr_frontend.documents.letters import letters

_FEWEST = 6  # letters of a rest: of 2,500 names, places and trades none ends so
# Ends of static words that are words themselves, or names' ends: SANTE PUBLIQUE, SUTHERLAND.
_WORDS = ("PUBLIC", "PUBLIQUE", "THERLAND")
_FEWEST_OF_PIECE = 3
_LAST_WORD = re.compile(r"[^\W\d_]+(?=\W*$)")


def static_words(texts: Iterable[str]) -> tuple[str, ...]:
    """The words of a document's static lines of which a rest can be told from a name."""
    long = {word for text in texts for each in text.split() if len(word := letters(each)) > _FEWEST + 1}
    return tuple(sorted(word for word in long if not word.endswith(_WORDS)))


def static_pieces(texts: Iterable[str]) -> frozenset[str]:
    """A document's static lines and their words, as letters."""
    return frozenset(letters(piece) for text in texts for piece in (text, *text.split()))


def likeness_to_static(text: str, pieces: Iterable[str]) -> float:
    """How like a text is to one of `static_pieces` or a part of it, in [0, 1]: AMEROU is all CAMEROUN."""
    plain = letters(text)
    if len(plain) < _FEWEST_OF_PIECE:
        return 0.0
    longer = (piece for piece in pieces if len(piece) >= len(plain))
    return max((fuzz.partial_ratio(plain, piece) / 100 for piece in longer), default=0.0)


def without_rest(text: str, words: Iterable[str]) -> str:
    """The text without such an end; as it is where nothing else would be left."""
    found = _LAST_WORD.search(text)
    plain = letters(found.group()) if found else ""
    if found is None or len(plain) != len(found.group()) or any(plain.endswith(word) for word in words):
        return text
    longest = max((_shared_end(plain, word) for word in words), default=0)
    kept = text[: found.end() - longest].strip() if longest >= _FEWEST else ""
    return kept or text


def _shared_end(one: str, other: str) -> int:
    """How many of their last letters are the same."""
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count
