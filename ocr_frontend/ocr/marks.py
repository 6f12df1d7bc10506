"""Which mark a letter has that the recognition underrates: tables of counted probabilities (docs/lab-notes.md).

For capitals with two dots or a circumflex PP-OCRv6 has columns that it hardly uses: `MOISE`, `MOÍSE`, `GAÉLLE`,
`BÜCHERON`. But it never gives them a probability where another mark is printed.
"""

import unicodedata
from collections.abc import Mapping

MARKS = {"I": "ÎÍÌÏ", "E": "ÉÈÊË", "U": "ÛÜÙÚ", "O": "ÔÖÓ", "A": "ÀÂÄÁ"}
LETTER_OF = {one: letter for letter, marks in MARKS.items() for mark in marks for one in (letter, mark, mark.lower())}
_MOST = 0.5
_MARKED = {"I": 0.1}
"""Marks of a capital that was written without one are seen from there on, of other capitals where they have most: of
1,032 I without dots the likeliest had 0.026, of 9 with dots 0.255. A blurred E has as much without any."""
_DOTTED = ("AO", "L", 0.05)
"""JOËL, GAËL: an E between these letters has dots from there on; of 13 without, the likeliest had 0.003."""
_UNDERRATED = {"Ï": 0.01, "Ë": 0.03, "È": 0.2, "Ê": 0.1, "Û": 0.02, "Ô": 0.1}
"""Marks that are printed where they have so much of the probability of their letter's marks, in this order."""
_CERTAIN = {"Î": 0.85, "Í": 0.95, "Ì": 0.95, "Ú": 0.95, "Ó": 0.95, "Á": 0.95}
_ELSE = {"Î": "Ï", "Í": "Ï", "Ì": "Ï", "Ú": "U", "Ó": "O", "Á": "A"}
"""Marks that are printed from so much on, and what else they are: two dots run together, or a line that crosses the
letter. Names of other states have them."""
_SMALL = {"i": ("ïî", 0.05), "o": ("ô", 0.1)}
_FOREIGN_SMALL = "íìöóò"
"""Marks of small letters: written where the letter has none, or one that French has not, and they have so much; of 401
small i without dots the likeliest had 0.023, of 8 with dots 0.01, 0.07 and more."""
MAY_BE_MARKED = frozenset((*_SMALL, *_FOREIGN_SMALL))


def of_capital(written: str, before: str, after: str, seen: Mapping[str, float]) -> str:
    """The capital with its mark or without, empty where what was written stays.

    written: with a mark, or without; before, after: the letters beside it; seen: the probabilities of its marks.
    """
    letter, total = LETTER_OF[written], sum(seen.values())
    first, last, least = _DOTTED
    dotted = letter == "E" and "Ë" in seen and before != "" and before in first and after != "" and after in last
    if not total or total < (0 if written != letter else least if dotted else _MARKED.get(letter, _MOST)):
        return ""
    return "Ë" if dotted else _printed(seen, total)


def marks_of_small(written: str) -> str:
    """Those that a small letter may have."""
    return _SMALL[unicodedata.normalize("NFD", written)[0]][0]


def of_small(written: str, seen: Mapping[str, float]) -> str:
    """The small letter with its mark, empty where what was written stays. seen: as for a capital."""
    least = _SMALL[unicodedata.normalize("NFD", written)[0]][1]
    likeliest = max(seen, key=lambda mark: seen[mark], default="")
    return likeliest if seen.get(likeliest, 0.0) >= least else ""


def _printed(seen: Mapping[str, float], total: float) -> str:
    for mark, least in _UNDERRATED.items():
        if mark in seen and seen[mark] >= least * total:
            return mark
    likeliest = max(seen, key=lambda mark: seen[mark])
    return likeliest if seen[likeliest] >= _CERTAIN.get(likeliest, 0.0) else _ELSE[likeliest]
