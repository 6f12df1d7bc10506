"""What a hard card prints: its entries in their order, and which of them share a row."""

import random
from collections.abc import Sequence

from adapters.data.documents import DocumentName
from adapters.data.hard.families import Family
from adapters.data.hard.setter import Entry
from adapters.data.hard.style import Style
from adapters.data.hard.wordings import Wording
from adapters.data.people import Record

Row = list[Entry]
_BLANK_LABEL = 0.7  # of fields that a card does not show, how many keep their label
_ENTRIES: dict[DocumentName, tuple[str, ...]] = {
    "cni-2018-recto": (
        "nom_surname", "prenom_given_name", "date_of_birth", "lieu_of_birth", "sex", "taille", "profession",
    ),
    "cni-2018-verso": (
        "pere_father", "mere_mother", "sp_sm", "address", "authorité", "date_of_issue", "post", "date_of_expiration",
        "identifiant_unique", "numero_de_carte",
    ),
    "cni-2025-recto": (
        "numero_de_carte", "nom_surname", "prenom_given_name", "date_of_birth", "sex", "date_of_expiration",
    ),
    "cni-2025-verso": (
        "pere_father", "mere_mother", "lieu_of_birth", "profession", "date_of_issue", "identifiant_unique", "taille",
        "authorité",
    ),
}  # fmt: skip
_TINY = ("sex", "taille", "sp_sm", "post")
SHORT_KEYS = (*_TINY, "date_of_birth", "date_of_issue", "date_of_expiration", "identifiant_unique", "numero_de_carte")


def entries_of(rng: random.Random, record: Record, style: Style) -> list[Entry]:
    """What the card prints, label and value, in its order; a label may stand without a value."""
    entries = []
    for key in _ENTRIES[record.document]:
        value = record.printed.get(key) or record.extras.get(key)
        field = key if key in record.values else None
        named = f"{key}:{record.document[4:8]}" if key == "identifiant_unique" else key
        label: Wording | None = style.label(rng, named)
        if key == "numero_de_carte" and rng.random() < 0.75:
            label = None
        if value is not None or (label and rng.random() < _BLANK_LABEL):
            entries.append(Entry(key, label, value, field))
    if record.document.endswith("recto") and rng.random() < 0.25:
        entries.insert(
            rng.randrange(len(entries) + 1),
            Entry("nationality", style.label(rng, "nationality"), "CAMEROUNAISE", None),
        )
    if len(entries) > 3 and rng.random() < 0.25:
        at = rng.randrange(len(entries) - 1)
        entries[at], entries[at + 1] = entries[at + 1], entries[at]
    return style.changed(rng, entries)


def rows_of(rng: random.Random, family: Family, entries: Sequence[Entry]) -> list[Row]:
    """Entries that follow each other share a row where the family lets them."""
    rows: list[Row] = []
    for entry in entries:
        last = rows[-1] if rows else []
        short = entry.key in SHORT_KEYS
        fits = len(last) == 1 and (last[0].key in SHORT_KEYS) == short
        joins = fits and rng.random() < (family.pair if short else family.halves)
        if joins or (len(last) == 2 and all(e.key in _TINY for e in (*last, entry))):
            last.append(entry)
        else:
            rows.append([entry])
    return rows
