"""Lines that are labels of nobody's document file: other wordings, entries that it does not know."""

import re
from functools import cache
from importlib.resources import files

from ocr_frontend.documents.letters import tokens

_FILE = "label-words.txt"
_SIGNS = re.compile(r"[:|/(]")  # that labels print, and names, places and trades do not
_LONGEST_JOINT = 2  # letters of a word that says nothing alone


def looks_like_label(text: str) -> bool:
    """Whether a line of free text has the signs of a label, or is made of nothing but words of labels."""
    return bool(_SIGNS.search(text)) or all_label_words(text)


def all_label_words(text: str) -> bool:
    """Whether every word of a text is one of those that labels are made of, at least one of them longer than DE."""
    found = [word for word, _, _ in tokens(text)]
    return all(word in _words() for word in found) and any(len(word) > _LONGEST_JOINT for word in found)


def is_label_word(word: str) -> bool:
    """Whether a word, as letters, is one of those that labels are made of."""
    return word in _words()


@cache
def _words() -> frozenset[str]:
    text = files(__package__).joinpath("builtin", _FILE).read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
