"""What labels say. A wording is learnt (train and valid) or held out (test), by the table in words/hard_labels.txt."""

import random
from functools import cache
from typing import Literal

from adapters.data.vocabulary import Split, words

Half = Literal["learnt", "held-out"]
Wording = tuple[str, str]  # French, English


def half_of(split: Split) -> Half:
    """Which half of layouts, fonts and wordings a split draws from."""
    return "held-out" if split == "test" else "learnt"


@cache
def wordings(key: str, half: Half) -> tuple[Wording, ...]:
    """The label's wordings of one half; `key` is a field, or an extra of the card. Raises KeyError for none."""
    rows = (row.split("|") for row in words("hard_labels"))
    found = tuple((french, english) for name, where, french, english in rows if (name, where) == (key, half))
    if not found:
        raise KeyError(f"{key} has no {half} wording")
    return found


def wording(rng: random.Random, key: str, split: Split) -> Wording:
    """One of the split's wordings."""
    return rng.choice(wordings(key, half_of(split)))
