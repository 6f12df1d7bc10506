"""Values over more lines than they need, and places with more in brackets: cards as other people lay them out."""

import random
from dataclasses import replace

from adapters.data.hard.page import BREAK
from adapters.data.hard.setter import Entry
from adapters.data.people import Record

_TEXTS = (
    "nom_surname", "prenom_given_name", "pere_father", "mere_mother", "lieu_of_birth", "profession", "authorité",
    "address",
)  # fmt: skip
_THREE = 0.25  # of values of three words and more that are broken, how many stand on three lines
_BRACKETED = 0.06  # of places
_INSIDE = (
    "HOPITAL CENTRAL", "HÔPITAL DE DISTRICT", "MATERNITE", "CENTRE DE SANTE", "HOPITAL REGIONAL", "CLINIQUE", "NORD",
    "OUEST", "LITTORAL", "DISTRICT HOSPITAL", "MISSION", "VILLAGE",
)  # fmt: skip


def bracketed(rng: random.Random, record: Record) -> Record:
    """Now and then a place of birth with more about it in brackets."""
    place = record.values.get("lieu_of_birth")
    if place is None or rng.random() >= _BRACKETED:
        return record
    more = rng.choice(_INSIDE)
    text = f"{record.printed['lieu_of_birth']} ({more if place.isupper() else more.capitalize()})"
    return replace(
        record, values={**record.values, "lieu_of_birth": text}, printed={**record.printed, "lieu_of_birth": text}
    )


def broken(rng: random.Random, entries: list[Entry], share: float) -> list[Entry]:
    """The same entries, `share` of their texts of two words and more broken where the line had room."""
    return [
        replace(entry, value=_in_lines(rng, entry.value.split(" ")))
        if entry.key in _TEXTS
        and entry.value
        and " " in entry.value
        and BREAK not in entry.value
        and rng.random() < share
        else entry
        for entry in entries
    ]


def _in_lines(rng: random.Random, words: list[str]) -> str:
    """Two lines, or three: names, each on its own."""
    places = range(1, len(words))
    breaks = sorted(rng.sample(places, 2 if len(words) > 2 and rng.random() < _THREE else 1))
    parts = zip([0, *breaks], [*breaks, len(words)], strict=True)
    return BREAK.join(" ".join(words[begin:end]) for begin, end in parts)
