"""How one card is made: its family of layouts, what its labels say, and what stands on it besides its fields."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from adapters.data.hard.families import Family, families_of
from adapters.data.hard.setter import Entry
from adapters.data.hard.wordings import Wording, wording
from adapters.data.vocabulary import Split


def _as_they_are(rng: random.Random, entries: list[Entry]) -> list[Entry]:
    return entries


@dataclass(frozen=True)
class Style:
    """`label`: a field's (or an extra's) label; `changed`: the card's entries, others among them, in another order."""

    family: Family
    label: Callable[[random.Random, str], Wording]
    changed: Callable[[random.Random, list[Entry]], list[Entry]] = _as_they_are


def style_of(rng: random.Random, split: Split) -> Style:
    """One of the families of the split's half, with that half's wordings."""
    return Style(rng.choice(families_of(split)), lambda chosen, key: wording(chosen, key, split))
