"""Whether two readings of a name are of one name: accents, cut ends, lost gaps and single misread letters aside."""

import re
import unicodedata
from typing import Literal

from rapidfuzz.distance import Levenshtein

Likeness = Literal["same", "spelled", "different"]

# ICAO Doc 9303 part 3, section 6: letters that lose more than an accent.
_ICAO = str.maketrans({"Æ": "AE", "Œ": "OE", "Ø": "OE", "ẞ": "SS", "ß": "SS", "Þ": "TH", "Ð": "D", "Ł": "L", "Ŋ": "N"})
_AS_LETTERS = str.maketrans("01258", "OIZSB")
_LOOK_ALIKE = frozenset(map(frozenset, ("OQ", "OD", "QO", "IL", "EF", "MN", "HN", "UV", "GC", "PR", "BR", "KX", "CO")))
_SHORT, _LONG = 4, 9  # letters from which one, and two, may be misread


def compare_names(one: str, other: str, *, cut: bool = False) -> Likeness:
    """`spelled`: one name, but a letter was read otherwise or a part of it is missing on one side.

    cut: the other one was written where it did not fit, so that it may stop anywhere.
    """
    mine, theirs = _parts(one), _parts(other)
    if cut and len("".join(theirs)) < len("".join(mine)):
        mine = _cut(mine, len("".join(theirs)))
    if mine == theirs or "".join(mine) == "".join(theirs):
        return "same"
    if not mine or not theirs:
        return "different"
    if len(mine) == len(theirs):
        alike = all(_misread(a, b) for a, b in zip(mine, theirs, strict=True))
    else:
        alike = _misread("".join(mine), "".join(theirs)) or _is_part(mine, theirs) or _is_part(theirs, mine)
    return "spelled" if alike else "different"


def _parts(name: str) -> list[str]:
    """Its words in plain capitals; an apostrophe joins, every other sign parts."""
    plain = unicodedata.normalize("NFKD", name.upper().translate(_ICAO))
    letters = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’`´").translate(_AS_LETTERS)
    return re.findall(r"[A-Z]+", letters)


def _cut(parts: list[str], length: int) -> list[str]:
    """The first letters, in their words."""
    out: list[str] = []
    for part in parts:
        left = length - sum(map(len, out))
        if left > 0:
            out.append(part[:left])
    return out


def _misread(one: str, other: str) -> bool:
    """Whether OCR may have made one word of the other."""
    away, shorter = Levenshtein.distance(one, other), min(len(one), len(other))
    if shorter >= _SHORT:
        return away <= (2 if shorter >= _LONG else 1)
    pairs = [frozenset(pair) for pair in zip(one, other, strict=False) if pair[0] != pair[1]]
    return away == 0 or (len(one) == len(other) and len(pairs) == 1 and pairs[0] in _LOOK_ALIKE)


def _is_part(fewer: list[str], more: list[str]) -> bool:
    """Whether a name is another one without some of its words; a particle alone (NGO) is no name."""
    rest = iter(more)
    return len("".join(fewer)) >= _SHORT and all(any(_misread(part, each) for each in rest) for part in fewer)
