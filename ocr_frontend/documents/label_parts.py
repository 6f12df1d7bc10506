"""What stands before and behind the labels of a line, which OCR text says only by how many letters were passed."""

import re
from collections.abc import Sequence

from ocr_frontend.documents.label_words import share_of_label_words
from ocr_frontend.documents.letters import letters

_CAPITALS = 3  # letters of a value in capitals behind a label in small ones
_NUMBER = re.compile(r"\d[\d.,/\- ]*\d")
_WORD = 4  # letters of a word that is no damage of the label before it


def bounds(words: Sequence[tuple[str, int, int]]) -> frozenset[int]:
    """Where words begin or end in the glued letters."""
    at, found = 0, {0}
    for word, _, _ in words:
        at += len(word)
        found.add(at)
    return frozenset(found)


def numbers_between(text: str, words: Sequence[tuple[str, int, int]]) -> frozenset[int]:
    """How many letters stand before each number of two digits and more."""
    begins = [match.start() for match in _NUMBER.finditer(text)]
    return frozenset(sum(len(word) for word, _, end in words if end <= begin) for begin in begins)


def text_behind(text: str, words: Sequence[tuple[str, int, int]], letters_before: int) -> str:
    """What stands in the text behind so many of its letters."""
    passed = 0
    for word, _, end in words:
        passed += len(word)
        if passed >= letters_before:
            return text[end - (passed - letters_before) :].strip(" /:.-–,;)|")
    return ""


def a_word(behind: str) -> bool:
    """Whether what is left behind labels is a word of its own, and none of labels: no damage of theirs."""
    return len(letters(behind)) >= _WORD and behind.isalpha() and not share_of_label_words(behind)


def set_apart(text: str, behind: str) -> bool:
    """Whether a line begins with a label in small letters and goes on in capitals: `Mère ABENA`."""
    before = text.removesuffix(behind) if behind else ""
    return before != text and not before.isupper() and len(letters(behind)) >= _CAPITALS and behind.isupper()


def text_before(text: str, words: Sequence[tuple[str, int, int]], letters_before: int) -> str:
    """What stands in the text before so many of its letters are passed."""
    passed = 0
    for word, begin, _ in words:
        if passed >= letters_before:
            return text[:begin].strip(" /:.-–,;(|")
        passed += len(word)
    return ""
