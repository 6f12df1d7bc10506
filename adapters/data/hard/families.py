"""Families of layouts. A family is a way to set entries and to fill a page; a card draws its numbers at random."""

from dataclasses import dataclass

from adapters.data.hard.blocks import Block, above, around, banner, below, boxed, inline, left, tabbed
from adapters.data.hard.setter import LEADING
from adapters.data.hard.wordings import Half, half_of
from adapters.data.vocabulary import Split


@dataclass(frozen=True)
class Family:
    """`pair`: how often two short entries share a row; `halves`: how often two long ones do; `stagger`: pixels by which
    every other row stands further right; `narrow`: the share of the width that a long value may take; `leading`: from a
    value's line to its next one, in its size; `spaces`: between a value's words."""

    name: str
    block: Block
    pair: float = 0.6
    halves: float = 0.0
    stagger: float = 0.0
    narrow: float = 1.0
    leading: float = LEADING
    spaces: int = 1


FAMILIES: dict[Half, tuple[Family, ...]] = {
    "learnt": (
        Family("ledger", above, pair=0.7),
        Family("newspaper", above, pair=0.9, halves=0.6),
        Family("form", left, pair=0.0),
        Family("sentence", inline, pair=0.5),
        Family("caption", below, pair=0.5),
        Family("sandwich", around, pair=0.5),
        Family("cells", boxed, pair=0.9, halves=0.3),
        Family("slim", above, pair=0.4, narrow=0.55),
    ),
    "held-out": (
        Family("banner", banner, pair=0.8, halves=0.3),
        Family("tabbed", tabbed, pair=0.0),
        Family("stairs", above, pair=0.5, stagger=60, narrow=0.7),
    ),
}


def families_of(split: Split) -> tuple[Family, ...]:
    """The families that a split draws from."""
    return FAMILIES[half_of(split)]
