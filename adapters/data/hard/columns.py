"""Cards of narrow columns: long names over many lines, a word or two each, and numbers in groups."""

import random
from dataclasses import replace

from adapters.data.hard.page import BREAK
from adapters.data.hard.setter import Entry
from adapters.data.hard.values import NAMES
from adapters.data.people import Record
from adapters.data.vocabulary import Split, given_part, surname_part

_STACKED = (*NAMES, "profession", "address")
_NUMBERS = ("numero_de_carte", "identifiant_unique")
_LONGER, _GROUPED = 0.25, 0.4  # of names; of numbers
_GROUP = 3  # digits
_MOST = 5  # lines of a value


def lengthened(rng: random.Random, record: Record, split: Split) -> Record:
    """Some of the names with one to three more."""
    more = {
        key: " ".join([value, *(_part(rng, value, split) for _ in range(rng.choice((1, 1, 2, 3))))])
        for key, value in record.printed.items()
        if key in NAMES and record.values.get(key) == value and rng.random() < _LONGER
    }
    return replace(record, values={**record.values, **more}, printed={**record.printed, **more})


def _part(rng: random.Random, like: str, split: Split) -> str:
    part = rng.choice((given_part, surname_part))(rng, split)
    return part if like.isupper() else part.title()


def grouped(rng: random.Random, record: Record) -> Record:
    """Some of the long numbers in groups of three digits; their values have no blanks."""
    apart = {
        key: " ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))
        for key, text in record.printed.items()
        if key in _NUMBERS and text.isdigit() and rng.random() < _GROUPED
    }
    return replace(record, printed={**record.printed, **apart})


def stacked(rng: random.Random, entries: list[Entry], share: float) -> list[Entry]:
    """`share` of the values of two words and more as a column of `width` letters holds them."""
    width = rng.choice((6, 9, 12, 15, 18))
    return [
        replace(entry, value=BREAK.join(_column(entry.value.split(" "), width)))
        if entry.key in _STACKED and entry.value and BREAK not in entry.value and rng.random() < share
        else entry
        for entry in entries
    ]


def _column(words: list[str], width: int) -> list[str]:
    """At most so many lines; the last one takes the rest."""
    lines: list[str] = []
    for word in words:
        if lines and (len(lines) == _MOST or len(f"{lines[-1]} {word}") <= width):
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines
