"""How OCR damages characters: lost spaces and accents, confused letters, a zone full of K instead of `<`."""

import random
import re
from dataclasses import dataclass

from adapters.data.vocabulary import plain

_DIGIT_TO_LETTER = {"0": "OOQD", "1": "IIl", "5": "S", "8": "B", "2": "Z"}
_LETTER_TO_LETTER = {
    "O": "0Q", "I": "1l", "S": "5", "B": "8", "E": "F", "M": "N", "N": "M", "U": "V", "G": "C", "C": "G",
    "D": "O", "Q": "O", "R": "P", "T": "I", "V": "U", "A": "4", "H": "N", "L": "I", "P": "R",
}  # fmt: skip

_SMEARED = "ABCDEEEFGHIIKLMNNOPRRSSTUVXZaehimnortuz1053/."


@dataclass(frozen=True)
class Damage:
    """How badly one card is read; rates are per character, per gap or per line."""

    space: float
    slash: float
    letter: float
    accent: float
    tail: float
    digit: float

    @classmethod
    def sample(cls, rng: random.Random) -> "Damage":
        """A third of the cards are read nearly clean, a fifth badly."""
        return rng.choices((CLEAN, MILD, HEAVY), (35, 45, 20))[0]


CLEAN = Damage(space=0.03, slash=0.02, letter=0.0005, accent=0.03, tail=0.0, digit=0.0005)
MILD = Damage(space=0.20, slash=0.12, letter=0.004, accent=0.2, tail=0.015, digit=0.003)
HEAVY = Damage(space=0.55, slash=0.35, letter=0.02, accent=0.5, tail=0.06, digit=0.012)


def misread_label(rng: random.Random, text: str, damage: Damage) -> str:
    """`DATE D'EXPIRATION/DATE OF EXPIRY` -> `DATEDEXPIRATIONIDATE OFEXPIR`."""
    text = _lose(rng, text, " ", damage.space)
    text = "".join(rng.choice(("I", "", "l", "1", "")) if c == "/" and rng.random() < damage.slash else c for c in text)
    text = _lose(rng, text, "'", damage.space * 1.2)
    text = _lose(rng, text, ".", damage.space * 0.5)
    text = "".join(_letter(rng, c, damage.letter * 2) for c in text)
    if len(text) > 6 and rng.random() < damage.tail:
        text = text[: -rng.randrange(1, 4)] if rng.random() < 0.7 else text[rng.randrange(1, 4) :]
    return text.strip()


def wrecked(rng: random.Random, text: str) -> str:
    """Small print of a bad photograph: `SEXE/SEX` -> `SDEAEX`, `PERE/FATHER` -> `PZHE`; never empty."""
    rate = rng.uniform(0.12, 0.55)
    out = ""
    for char in text:
        if rng.random() >= rate or not char.isalnum():
            out += char if char.isalnum() or rng.random() > rate else ""
        elif rng.random() < 0.7:
            out += rng.choice(_SMEARED)
    if len(out) > 8 and rng.random() < rate:
        out = out[: rng.randrange(4, len(out))]
    return " ".join(out.split()) or text[:1]


def misread_value(rng: random.Random, text: str, damage: Damage) -> str:
    """A text value: accents lost, letters confused, a gap closed; never emptied."""
    if rng.random() < damage.accent:
        text = plain(text)
    text = _lose(rng, text, " ", damage.space * 0.12)
    return "".join(_letter(rng, c, damage.letter) for c in text)


def misread_number(rng: random.Random, text: str, damage: Damage) -> str:
    """A date, height or number: digits read as letters, points as commas or as nothing."""
    out = "".join(
        rng.choice(_DIGIT_TO_LETTER[c]) if c in _DIGIT_TO_LETTER and rng.random() < damage.digit else c for c in text
    )
    if re.fullmatch(r"\S{2}\.\S{2}\.\S{4}", out) and rng.random() < damage.digit * 6:
        return out.replace(".", rng.choice((",", " ", "")), rng.choice((1, 2)))
    return out


def misread_zone(rng: random.Random, text: str, damage: Damage) -> str:
    """A line of the machine-readable zone: fillers become K, C, L or S, and long runs of them come out too short."""
    text = "".join(rng.choice("KCLS") if c == "<" and rng.random() < damage.letter * 6 else c for c in text)
    shorter = rng.randrange(4) if rng.random() < damage.accent else 0
    return re.sub(r"<{6,}", lambda run: run[0][shorter:], text)


def _lose(rng: random.Random, text: str, char: str, rate: float) -> str:
    return "".join(c for c in text if c != char or rng.random() >= rate)


def _letter(rng: random.Random, char: str, rate: float) -> str:
    """One letter, perhaps confused, perhaps dropped."""
    if rng.random() >= rate:
        return char
    if char in _LETTER_TO_LETTER:
        return rng.choice(_LETTER_TO_LETTER[char])
    return "" if char.isalpha() and rng.random() < 0.3 else char
