"""Characters of a zone: what they count, what OCR makes of them, and what a place says about them."""

import re
from collections.abc import Sequence
from itertools import cycle
from string import ascii_uppercase, digits

FILLER = "<"
_WEIGHTS = (7, 3, 1)
_SIGNS = str.maketrans({"‹": "<", "〈": "<", "＜": "<", "(": "<", "|": "I", "«": "<<", "《": "<<"})
# Letters that OCR reads for fillers; they count as fillers only where nothing but fillers stands.
FILLER_LETTERS = "KCLSE"
# One reading a letter: a check digit that has to choose between two no longer detects.
_LETTERS = str.maketrans("012568", "OIZSGB")
_PLACES = {
    "n": dict(zip("0123456789OQDILZASGTB", "012345678900011245678", strict=True)),
    "a": {letter: letter for letter in ascii_uppercase} | dict(zip("012568", "OIZSGB", strict=True)),
}
# What a character counts, modulo 10: no check digit tells two characters of one count apart.
_COUNTS = {character: int(character, 36) % 10 for character in digits + ascii_uppercase} | {FILLER: 0}
_DATA_END = re.compile(r"(?<=[0-9<])(?:[KCLSE]*<[<KCLSE]*|([KCLSE])\1+)$")


def check_digit(text: str) -> str:
    """ICAO 9303 part 3, 4.9: digits count as themselves, A-Z as 10-35, `<` as 0; weights 7-3-1; modulo 10."""
    return str(sum(_COUNTS[character] * weight for character, weight in zip(text, cycle(_WEIGHTS))) % 10)


def normalised(text: str) -> str:
    """Upper case, without gaps, every sign like a filler a filler; "" where it holds what no zone does."""
    plain = re.sub(r"\s", "", text.upper()).translate(_SIGNS)
    return plain if re.fullmatch(r"[A-Z0-9<]+", plain) else ""


def shaped(text: str, shape: str) -> str | None:
    """The text with letters in digits' places, and digits in letters', read as what they look like; None if none."""
    if len(text) != len(shape):
        return None
    out = [_PLACES[place].get(character, "") for character, place in zip(text, shape, strict=True)]
    return "".join(out) if all(out) else None


def is_fill(text: str) -> bool:
    """Whether a place where fillers are expected holds nothing else."""
    return all(character == FILLER or character in FILLER_LETTERS for character in text)


def as_letters(text: str) -> str:
    """Digits of a name as the letters that they look like."""
    return text.translate(_LETTERS)


def substituted(read: str, taken: str) -> int:
    """How many characters were taken for others; fillers not counted."""
    return sum(one != other != FILLER for one, other in zip(read, taken, strict=False))


def without_fill(data: str) -> str:
    """Optional data of no known shape, without the fillers at its end, misread ones too where they come in a run."""
    return _DATA_END.sub("", data).rstrip(FILLER)


def state_code(text: str, states: Sequence[str]) -> str | None:
    """The state of three characters, without fillers: one of `states` with at most one character misread, else any."""
    read = as_letters(text)
    near = [s for s in states if sum(one != other for one, other in zip(s.ljust(3, FILLER), read, strict=True)) <= 1]
    if states:
        return near[0] if len(near) == 1 else None
    return read.rstrip(FILLER) if re.fullmatch(r"[A-Z]{3}|[A-Z]<<", read) else None
