"""Lines that are labels of nobody's document file: other wordings, entries that it does not know."""

import re
from functools import cache
from importlib.resources import files

from ocr_frontend.documents.letters import tokens

_FILE = "label-words.txt"
_SIGNS = re.compile(r"[:|/·]")  # that labels print, and names, places and trades do not
_BRACKETED = 0.3  # of the words beside a bracket: SEXE (M/F) is a label, DOUALA (HOPITAL CENTRAL) a place
_LONGEST_JOINT = 2  # letters of a word that says nothing alone
_GLUED, _LONG = 12, 8  # letters of several words in one, and of the longest of them at least
_CUT = 4  # letters of a word that is cut short


def looks_like_label(text: str) -> bool:
    """Whether a line of free text has the signs of a label, or is made of nothing but words of labels."""
    bracket = "(" in text and share_of_label_words(text) >= _BRACKETED
    return bracket or bool(_SIGNS.search(text)) or all_label_words(text)


def all_label_words(text: str) -> bool:
    """Whether every word of a text is one of those that labels are made of, at least one of them longer than DE."""
    found = [word for word, _, _ in tokens(text)]
    return any(len(word) > _LONGEST_JOINT for word in found) and all(map(_of_labels, found))


def share_of_label_words(text: str) -> float:
    """How many of a text's words longer than DE are such words, or the beginning of one, in [0, 1]."""
    found = [word for word, _, _ in tokens(text) if len(word) > _LONGEST_JOINT]
    return sum(_of_labels(word) or _begins(word) for word in found) / len(found) if found else 0.0


def is_label_word(word: str) -> bool:
    """Whether a word, as letters, is one of those that labels are made of."""
    return word in _words()


def _of_labels(word: str) -> bool:
    """One of them, or several that OCR glued together: SITUATIONPARTICULIERE."""
    return word in _words() or (len(word) >= _GLUED and _splits(word))


def _splits(glued: str) -> bool:
    """Whether nothing but words of labels stand in a row, at least one of them long."""
    ends = {0: False}  # letters passed, and whether a long word is among them
    for end in range(1, len(glued) + 1):
        ways = [ends[at] or end - at >= _LONG for at in ends if glued[at:end] in _words()]
        if ways:
            ends[end] = any(ways)
    return ends.get(len(glued), False)


def _begins(word: str) -> bool:
    return len(word) >= _CUT and any(each.startswith(word) for each in _words())


@cache
def _words() -> frozenset[str]:
    text = files(__package__).joinpath("builtin", _FILE).read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
