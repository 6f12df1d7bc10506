"""Where labels stand in a line's letters, which OCR may have glued together.

Labels are compared as whole words: TAILLEUR is no TAILLE. Where words are glued, a label may end where the next one
begins. Distances are rapidfuzz's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.label_words import is_label_word
from ocr_frontend.documents.wording import JOINTS

_LETTERS_AN_EDIT = 5  # of a label: so many letters for each one that OCR may get wrong
_LETTERS_A_WORD = 8  # a shorter label is read to the letter: PATRICE is no PATRIE


@dataclass(slots=True)
class Found:
    """The labels in a line.

    forms: from left to right; before: letters before the first; leading: letters up to where those that begin the line
    end, with words before them that only labels are made of (`COMPETENT AUTHORITY`); free: letters of no label.
    """

    forms: list[str] = field(default_factory=list)
    before: int = 0
    leading: int = 0
    free: int = 0


def find_labels(plain: str, bounds: frozenset[int], forms: Sequence[str], numbers: frozenset[int]) -> Found:
    """plain: the line's letters without blanks; bounds: where its words begin or end; forms: the longest first;
    numbers: where a number stands between two letters. A label behind one does not begin the line any more."""
    found = Found()
    at, after_label, begins = 0, True, True
    while at < len(plain):
        match = _at(plain, at, bounds, forms) if at in bounds or after_label else None
        if match is None:
            if after_label and plain[at] in JOINTS and found.forms and at not in bounds:
                at += 1
                continue
            step = next(bound for bound in sorted(bounds) if bound > at)
            begins = begins and is_label_word(plain[at:step]) and not found.forms
            found.free, at, after_label = found.free + step - at, step, False
            continue
        form, length = match
        if not found.forms:
            found.before = at
        elif at in numbers:
            begins = False
        if begins:
            found.leading = at + length
        found.forms.append(form)
        at, after_label = at + length, True
    return found


def fewest_letters(form: str) -> int:
    """So many letters a form takes at least, with as many edits as it may have."""
    return len(form) - _edits(form)


def _edits(form: str) -> int:
    return len(form) // _LETTERS_AN_EDIT if len(form) >= _LETTERS_A_WORD else 0


def _at(plain: str, at: int, bounds: frozenset[int], forms: Sequence[str]) -> tuple[str, int] | None:
    """The form that begins here, ends where a word or another label does, and accounts for most letters."""
    best: tuple[int, str, int] | None = None
    for form in forms:
        allowed = _edits(form)
        for length in range(len(form) - allowed, min(len(form) + allowed, len(plain) - at) + 1):
            edits = Levenshtein.distance(plain[at : at + length], form, score_cutoff=allowed)
            if edits > allowed or (best is not None and length - 2 * edits <= best[0]):
                continue
            if at + length in bounds or _another(plain, at + length, forms):
                best = (length - 2 * edits, form, length)
    return None if best is None else best[1:]


def _another(plain: str, at: int, forms: Sequence[str]) -> bool:
    """Whether glued words go on with another label."""
    rests = (plain[at:], plain[at + 1 :] if plain[at] in JOINTS else "")
    return any(rest.startswith(form) for form in forms for rest in rests if rest)
