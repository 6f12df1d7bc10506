"""Printed machine-readable zones of made-up people, and what a poor reading makes of them. Seeded, no pictures."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from adapters.data.mrz import check_digit, mrz_name, td1
from adapters.data.people import given_names, surname

SEED = 20261129
Lines = list[str]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
# What looks most alike comes first.
LOOK_ALIKE = {
    "0": "OQD8", "1": "IL7", "2": "Z7", "3": "8B", "4": "A9", "5": "S6", "6": "G85", "7": "T1Z", "8": "B306", "9": "G4",
    "A": "4R", "B": "8R3", "C": "G<", "D": "0O", "E": "F<", "F": "EP", "G": "6C", "H": "MN", "I": "1L", "J": "IU",
    "K": "X<", "L": "I1<", "M": "NH", "N": "MH", "O": "0QD", "P": "FR", "Q": "O0", "R": "PB", "S": "5<", "T": "71",
    "U": "V0", "V": "UY", "W": "VM", "X": "KY", "Y": "VX", "Z": "27", "<": "KCLSE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Printed:
    """A zone and what it says: number, optional data, birth (YYMMDD), expiry (YYMMDD).

    beside: which of it the same page prints outside the zone.
    """

    lines: tuple[str, ...]
    number: str
    optional: str
    birth: str
    expiry: str
    sex: str
    beside: tuple[str, ...]


def cameroonian(rng: random.Random) -> Printed:
    """The 2025 card's; one in twenty has no NIC number."""
    nic = None if rng.random() < 0.05 else _letters(rng, 2) + _digits(rng, 8)
    number, birth, expiry = _digits(rng, 9), _day(rng, 1936, 2012), _day(rng, 2026, 2035)
    sex, (surnames, given) = rng.choice("MF"), rng.choice(_people())
    lines = td1(
        card=number, nic=nic, birth=_dotted(birth), sex=sex, expiry=_dotted(expiry),
        surname=surnames, given=given,
    )  # fmt: skip
    return Printed(lines, number, nic or "", birth[2:], expiry[2:], sex, (nic or "",))


def identity_card(rng: random.Random) -> Printed:
    """A TD1 of any state: a number as a passport's, optional data in one first line of two and one second of four.

    The zone is on the back, the number on the front: nothing of it is printed beside it.
    """
    state, number = _letters(rng, 3), _any_number(rng)
    personal = _digits(rng, rng.randrange(8, 14)) if rng.random() < 0.5 else ""
    more = _digits(rng, rng.randrange(2, 12)) if rng.random() < 0.25 else ""
    birth, expiry, sex = _day(rng, 1936, 2012), _day(rng, 2026, 2035), rng.choice("MF")
    surnames, given = rng.choice(_people())
    upper = f"{number}{check_digit(number)}{personal:<<15}"
    first, second = birth[2:] + check_digit(birth[2:]), expiry[2:] + check_digit(expiry[2:])
    lower = f"{first}{sex}{second}{state}{more:<<11}{check_digit(f'{upper}{first}{second}{more:<<11}')}"
    names = f"{mrz_name(surnames)}<<{mrz_name(given)}"[:30].ljust(30, "<")
    return Printed((f"I<{state}{upper}", lower, names), number, personal, birth[2:], expiry[2:], sex, ())


def both_sides(rng: random.Random) -> Printed:
    """The same with the front on the same page."""
    card = identity_card(rng)
    return replace(card, beside=(card.number, card.optional))


def passport(rng: random.Random) -> Printed:
    """A TD3 of any state: letters and digits in the number, a personal number in one of two."""
    state, number = _letters(rng, 3), _any_number(rng)
    personal = _digits(rng, rng.randrange(8, 14)) if rng.random() < 0.5 else ""
    birth, expiry, sex = _day(rng, 1936, 2012), _day(rng, 2026, 2035), rng.choice("MF")
    surnames, given = rng.choice(_people())
    names = f"P<{state}{mrz_name(surnames)}<<{mrz_name(given)}"[:44].ljust(44, "<")
    data = personal.ljust(14, "<")
    first, second = number + check_digit(number), birth[2:] + check_digit(birth[2:])
    third = expiry[2:] + check_digit(expiry[2:]) + data + check_digit(data)
    lower = f"{first}{state}{second}{sex}{third}{check_digit(first + second + third)}"
    return Printed((names, lower), number, personal, birth[2:], expiry[2:], sex, (number,))


@cache
def _people() -> list[tuple[str, str]]:
    """Surnames and given names."""
    rng = random.Random(SEED)
    return [(surname(rng, "valid"), given_names(rng, "valid")) for _ in range(500)]


def look_alike(rng: random.Random, lines: Lines) -> Lines:
    """One to three characters read as what they look like, in half of the cases as what they look like most."""
    return _changed(rng, lines, lambda c: LOOK_ALIKE[c][0] if rng.random() < 0.5 else rng.choice(LOOK_ALIKE[c]))


def any_character(rng: random.Random, lines: Lines) -> Lines:
    """One to three characters read as any other: dirt, a scratch, a hologram."""
    return _changed(rng, lines, lambda character: rng.choice(ALPHABET.replace(character, "")))


def wrong_digit(rng: random.Random, lines: Lines) -> Lines:
    """One digit read as another, any one: what check digits are for."""
    row, at = rng.choice([(r, i) for r, line in enumerate(lines) for i, c in enumerate(line) if c.isdigit()])
    other = rng.choice("0123456789".replace(lines[row][at], ""))
    return [*lines[:row], lines[row][:at] + other + lines[row][at + 1 :], *lines[row + 1 :]]


def missing(rng: random.Random, lines: Lines) -> Lines:
    """One to three characters lost."""
    return _changed(rng, lines, lambda character: "")


def added(rng: random.Random, lines: Lines) -> Lines:
    """One to three characters too many: doubled, or any."""
    return _changed(rng, lines, lambda character: character + rng.choice((character, rng.choice(ALPHABET))))


def cut(rng: random.Random, lines: Lines) -> Lines:
    """One line or all of them begin late or end early."""
    first, last = (rng.randrange(1, 9), 0) if rng.random() < 0.5 else (0, rng.randrange(1, 9))
    rows = range(len(lines)) if rng.random() < 0.5 else [rng.randrange(len(lines))]
    return [line[first : len(line) - last] if row in rows else line for row, line in enumerate(lines)]


def merged(rng: random.Random, lines: Lines) -> Lines:
    """Two lines as one, or one in two pieces, and one other damage before that."""
    lines = rng.choice((look_alike, any_character, missing, added, cut))(rng, lines)
    row = rng.randrange(len(lines) - 1)
    if rng.random() < 0.5:
        return [*lines[:row], lines[row] + lines[row + 1], *lines[row + 2 :]]
    at = rng.randrange(1, max(2, len(lines[row])))
    return [*lines[:row], lines[row][:at], lines[row][at:], *lines[row + 1 :]]


def no_composite(rng: random.Random, lines: Lines) -> Lines:
    """The last character of the line with the composite digit is lost, and one digit is wrong."""
    lines = wrong_digit(rng, lines)
    row = 1
    return [*lines[:row], lines[row][:-1], *lines[row + 1 :]]


DAMAGES: dict[str, Callable[[random.Random, Lines], Lines]] = {
    "look-alike": look_alike, "any character": any_character, "wrong digit": wrong_digit, "missing": missing,
    "added": added, "cut": cut, "merged": merged, "no composite": no_composite,
}  # fmt: skip


def light(rng: random.Random, lines: Lines) -> Lines:
    """What a good reading still does: a 5 as S, a 1 as L or I, an 8 as B, some fillers as K, C, L, S or E."""
    if rng.random() < 0.5:
        usual = {"5": "S", "1": "LI", "8": "B", "0": "O"}
        places = [(r, i) for r in (0, 1) for i, c in enumerate(lines[r]) if c in usual]
        row, at = rng.choice(places)
        line = lines[row]
        return [*lines[:row], line[:at] + rng.choice(usual[line[at]]) + line[at + 1 :], *lines[row + 1 :]]
    rate, letter = rng.choice((0.05, 0.2, 0.5)), rng.choice("KCLSE")
    return ["".join(letter if c == "<" and rng.random() < rate else c for c in line) for line in lines]


def _changed(rng: random.Random, lines: Lines, change: Callable[[str], str]) -> Lines:
    """One to three characters changed, each as likely as any other: as often as one character in 200 is misread."""
    out = [list(line) for line in lines]
    for _ in range(rng.choices((1, 2, 3), (80, 17, 3))[0]):
        row = rng.randrange(len(out))
        at = rng.randrange(len(out[row]))
        out[row][at] = change(out[row][at]) if len(out[row][at]) == 1 else out[row][at]
    return ["".join(line) for line in out]


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _any_number(rng: random.Random) -> str:
    """Of nine characters, the first none, one or two of them letters."""
    letters = _letters(rng, rng.randrange(3))
    return letters + _digits(rng, 9 - len(letters))


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=count))


def _day(rng: random.Random, first: int, last: int) -> str:
    return f"{rng.randint(first, last)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"


def _dotted(day: str) -> str:
    return f"{day[6:]}.{day[4:6]}.{day[:4]}"
