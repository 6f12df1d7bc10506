"""One synthetic person's card: the values to extract, how they are printed, and what else stands on the card."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from adapters.data.documents import DOCUMENTS, DocumentName
from adapters.data.mrz import td1
from adapters.data.vocabulary import PARTICLES, Split, given_part, place, profession, surname_part

MISSING_RATE = 0.04
_POSTS = ("AD", "CE", "EN", "ES", "LT", "NO", "NW", "OU", "SU", "SW")


@dataclass(frozen=True)
class Record:
    """`values` in answer order (None = not shown), `printed` as they stand on the card, `extras` everything else."""

    document: DocumentName
    values: dict[str, str | None]
    printed: dict[str, str]
    extras: dict[str, str] = field(default_factory=dict)


def sample_record(rng: random.Random, document: DocumentName, split: Split) -> Record:
    """A consistent card. Each field is missing with a small probability, but never all of them."""
    person = _person(rng, split)
    keys = [f.key for f in DOCUMENTS[document]]
    missing = {key for key in keys if rng.random() < MISSING_RATE}
    if len(missing) == len(keys):
        missing.clear()
    year = document[4:8]
    values = {key: None if key in missing else person.get(key) or person[f"{key}:{year}"] for key in keys}
    printed = {key: value for key, value in values.items() if value is not None}
    if "taille" in printed:
        printed["taille"] = _printed_height(rng, printed["taille"])
    return Record(document, values, printed, _extras(rng, document, split, person, values))


def surname(rng: random.Random, split: Split) -> str:
    """One to three parts, with a particle, a hyphen or an apostrophe now and then."""
    parts = [surname_part(rng, split) for _ in range(rng.choices((1, 2, 3), (55, 38, 7))[0])]
    style = rng.random()
    if style < 0.10:
        return " ".join(["NGO", *parts])
    if style < 0.14:
        particle = rng.choice(PARTICLES)
        return particle + parts[0] if particle.endswith("'") else " ".join([particle, *parts])
    if style < 0.17 and len(parts) > 1:
        return "-".join(parts[:2])
    if style < 0.20:
        return f"{parts[0]} EPSE {surname_part(rng, split)}"
    return " ".join(parts)


def given_names(rng: random.Random, split: Split) -> str:
    """One to four given names, some hyphenated."""
    parts = [given_part(rng, split) for _ in range(rng.choices((1, 2, 3, 4), (40, 44, 13, 3))[0])]
    if len(parts) > 1 and rng.random() < 0.12:
        parts = [f"{parts[0]}-{parts[1]}", *parts[2:]]
    return " ".join(parts)


def full_name(rng: random.Random, split: Split) -> str:
    """Surname and given names in either order; a surname alone sometimes."""
    first, last = surname(rng, split), given_names(rng, split)
    return rng.choices((f"{first} {last}", f"{last} {first}", first), (70, 15, 15))[0]


def official_name(rng: random.Random, split: Split) -> str:
    """Two words or three, as officials sign."""
    parts = [surname_part(rng, split), *(given_part(rng, split) for _ in range(rng.randint(0, 2)))]
    return " ".join(parts if rng.random() < 0.5 else parts[::-1])


def _person(rng: random.Random, split: Split) -> dict[str, str]:
    """Every value that any of the documents prints."""
    issue = date(2018, 3, 1) + timedelta(days=rng.randrange(2900))
    birth = issue - timedelta(days=rng.randrange(18 * 366, 85 * 365))
    expiry = _years_later(issue, 10)
    return {
        "nom_surname": surname(rng, split),
        "prenom_given_name": given_names(rng, split),
        "date_of_birth": _dotted(birth),
        "lieu_of_birth": place(rng, split),
        "sex": rng.choice("MF"),
        "taille": f"{min(2.05, max(1.40, rng.gauss(1.69, 0.10))):.2f}",
        "profession": profession(rng, split),
        "pere_father": full_name(rng, split),
        "mere_mother": full_name(rng, split),
        "sp_sm": _digits(rng, 6),
        "date_of_issue": _dotted(issue),
        "date_of_expiration": _dotted(expiry),
        "identifiant_unique:2018": f"{issue.year}{_digits(rng, 13)}",
        "identifiant_unique:2025": "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=2)) + _digits(rng, 8),
        "numero_de_carte": _digits(rng, 9),
        "authorité": full_name(rng, split) if rng.random() < 0.4 else official_name(rng, split),
    }


def _extras(
    rng: random.Random, document: DocumentName, split: Split, person: dict[str, str], values: dict[str, str | None]
) -> dict[str, str]:
    """What the card prints besides its fields; the zone repeats no value that the card does not show."""
    if document == "cni-2018-verso":
        box = f"BP {rng.randrange(10, 15000)} {place(rng, split)}"
        address = rng.choice((place(rng, split), box, f"{place(rng, split)} {place(rng, split)}"))
        return {"address": address, "post": f"{rng.choice(_POSTS)}{rng.randrange(1, 60):02d}"}
    if document == "cni-2025-verso":
        lines = td1(
            card=person["numero_de_carte"],
            nic=values["identifiant_unique"],
            birth=person["date_of_birth"],
            sex=person["sex"],
            expiry=person["date_of_expiration"],
            surname=person["nom_surname"],
            given=person["prenom_given_name"],
        )
        return {"mrz1": lines[0], "mrz2": lines[1], "mrz3": lines[2]}
    return {}


def _printed_height(rng: random.Random, value: str) -> str:
    """`1.75` as cards print it."""
    number = value.replace(".", rng.choices((",", "."), (65, 35))[0])
    return number + rng.choices(("", " m", "m"), (60, 20, 20))[0]


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _dotted(day: date) -> str:
    return day.strftime("%d.%m.%Y")


def _years_later(day: date, years: int) -> date:
    """The same day years later; 29 February becomes the 28th."""
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day)
