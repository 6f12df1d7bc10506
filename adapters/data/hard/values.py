"""People of hard cards: now and then a value that equals or contains a label's word, and long ones."""

import random
from dataclasses import replace

from adapters.data.documents import DocumentName
from adapters.data.people import Record, given_names, sample_record, surname
from adapters.data.vocabulary import Split, listed

_TRICKY = 0.14
NAMES = ("nom_surname", "prenom_given_name", "pere_father", "mere_mother", "authorité")


def hard_record(rng: random.Random, document: DocumentName, split: Split) -> Record:
    """A record as `sample_record` draws it, some of whose texts are made harder to tell from the print around them."""
    record = sample_record(rng, document, split)
    values, printed = dict(record.values), dict(record.printed)
    for key, value in record.values.items():
        fresh = _tricky(rng, key, value, split) if value is not None and rng.random() < _TRICKY else None
        if fresh is not None:
            values[key] = printed[key] = fresh
    extras = dict(record.extras)
    if "address" in extras and rng.random() < 0.3:
        extras["address"] = rng.choice(listed("hard_places", split))
    return replace(record, values=values, printed=printed, extras=extras)


def _tricky(rng: random.Random, key: str, value: str, split: Split) -> str | None:
    if key == "lieu_of_birth":
        return rng.choice(listed("hard_places", split))
    if key == "profession":
        return rng.choice(listed("hard_professions", split))
    if key not in NAMES:
        return None
    if rng.random() < 0.5:  # four words and more, which few lines can hold
        return f"{surname(rng, split)} {given_names(rng, split)}" if key != "prenom_given_name" else value
    name = rng.choice(listed("hard_surnames", split))
    return name if key == "nom_surname" and rng.random() < 0.4 else f"{value.split(' ', 1)[0]} {name}"
