"""Capitals among small letters that recognition mistakes for them: of some letters both have the same shape."""

import re

_SAME_SHAPE = "CKOPSUVWXYZ"
_WORD = re.compile(r"[^\W\d_]{4,}")
_INSIDE = re.compile(rf"(?<=[a-zß-öø-ÿ])[{_SAME_SHAPE}](?![A-ZÀ-ÖØ-Þ])")
_PREFIXES = ("Mc", "Mac", "De", "Di", "Du", "La", "Le", "Van", "Von", "Ben", "El", "Al")  # of names of two parts


def evened(text: str) -> str:
    """`Nelson` for `NelsOn`, `Banyo` for `BanYo`; `McKenzie` and `DeSouza` stay."""
    return _WORD.sub(lambda word: _evened(word.group()), text)


def _evened(word: str) -> str:
    begin = max((len(prefix) + 1 for prefix in _PREFIXES if word.startswith(prefix)), default=0)
    return word[:begin] + _INSIDE.sub(lambda letter: letter.group().lower(), word[begin:])
