"""Lays a record out as one of the four documents."""

import random
from collections.abc import Callable

from adapters.data import layout_2018, layout_2025
from adapters.data.card_layout import Box, Pen, Sheet, Style
from adapters.data.documents import DocumentName
from adapters.data.people import Record
from adapters.data.vocabulary import Split

# Held-out layouts wander further from the plan than those that the adapter is trained on.
_JITTER: dict[Split, float] = {"train": 1.0, "valid": 1.0, "test": 1.4}
_DRAW: dict[DocumentName, tuple[tuple[int, int], Callable[[Pen], Box | None]]] = {
    "cni-2018-recto": (layout_2018.SIZE, layout_2018.recto),
    "cni-2018-verso": (layout_2018.SIZE, layout_2018.verso),
    "cni-2025-recto": (layout_2025.SIZE, layout_2025.recto),
    "cni-2025-verso": (layout_2025.SIZE, layout_2025.verso),
}
# Where no value stands, so that the word hides none: ranges of x and y.
_SPECIMEN_AT: dict[DocumentName, tuple[tuple[float, float], tuple[float, float]]] = {
    "cni-2018-recto": ((440, 560), (556, 576)),
    "cni-2018-verso": ((690, 710), (510, 540)),
    "cni-2025-recto": ((60, 320), (900, 940)),
    "cni-2025-verso": ((60, 320), (740, 790)),
}


def lay_out(rng: random.Random, record: Record, split: Split) -> Sheet:
    """The card's text at its places, with the word SPECIMEN on it."""
    size, draw = _DRAW[record.document]
    pen = Pen(rng, record, Style.sample(rng, _JITTER[split]))
    portrait = draw(pen)
    (left, right), (top, bottom) = _SPECIMEN_AT[record.document]
    pen.put("SPECIMEN", (rng.uniform(left, right), rng.uniform(top, bottom)), rng.uniform(34, 54), 300, "specimen")
    return Sheet(size, tuple(pen.pieces), portrait)
