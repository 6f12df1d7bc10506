"""Cards laid out and worded anew each time, for training: what a model must not learn is how a few families look.

A family's numbers are drawn, its blocks may differ from entry to entry; a label is a wording of the learnt half or of
words/varied_labels.txt, in one language or both, either first, numbered, shortened; entries of other documents stand
between the fields. The held-out half has no part in it.
"""

import random
from functools import cache, partial

from adapters.data.hard.blocks import Block, above, around, below, boxed, inline, left
from adapters.data.hard.broken import broken
from adapters.data.hard.columns import stacked
from adapters.data.hard.families import Family
from adapters.data.hard.setter import LEADING, Entry, Setter
from adapters.data.hard.style import Style
from adapters.data.hard.varied_blocks import beside, centred, flush, opposite, right
from adapters.data.hard.wordings import Wording, wordings
from adapters.data.vocabulary import Split, plain, words
from adapters.errors import DataError

_BLOCKS: tuple[tuple[Block, float], ...] = (
    (above, 5), (below, 2), (left, 3), (inline, 3), (around, 1), (boxed, 1), (opposite, 2), (centred, 2), (right, 1),
    (flush, 1), (beside, 2),
)  # fmt: skip
_OTHERS = (
    ("GROUPE SANGUIN", "BLOOD GROUP", ("O+", "A+", "B+", "AB-", "O-")),
    ("SITUATION MATRIMONIALE", "MARITAL STATUS", ("CELIBATAIRE", "MARIE(E)", "SINGLE", "MARRIED", "VEUVE")),
    ("SIGNES PARTICULIERS", "SPECIAL MARKS", ("NEANT", "NONE", "CICATRICE", "RAS")),
    ("CODE DU PAYS", "COUNTRY CODE", ("CMR", "CM")),
    ("TYPE", "TYPE", ("ID", "CNI", "I")),
    ("REGION", "REGION", ("CENTRE", "LITTORAL", "OUEST", "NORD-OUEST", "ADAMAOUA", "EST", "SUD")),
    ("NOMBRE D'ENFANTS", "CHILDREN", ("0", "2", "5")),
    ("COULEUR DES YEUX", "COLOUR OF EYES", ("NOIRS", "MARRON", "BROWN", "BLACK")),
    ("DUPLICATA", "DUPLICATE", ("NON", "01", "OUI")),
    ("DROITS", "FEE", ("2 800 FCFA", "10 000 FCFA")),
)
_MIXED = 0.35  # of cards whose entries are not all set in one way
_OFTEN, _SELDOM = (
    (0.15, 0.5),
    (0.05, 0.2),
)  # of cards in no order at all, and of these and those with two entries changed


def varied_style(
    rng: random.Random, split: Split, *, wide: bool = False, narrow: bool = False, in_order: bool = False
) -> Style:
    """A style of its own; wide: some set their words far apart; narrow: values stand in narrow columns, their words far
    apart more often; in_order: fewer print their entries in another order than cards do.

    Raises DataError for the test split, which keeps to the held-out half."""
    if split == "test":
        raise DataError("Varied cards are for training: draw the test split's in the condition hard.")
    family = Family(
        "varied",
        _block(rng),
        pair=rng.choice((0.0, 0.5, 0.8)),
        halves=rng.choice((0.0, 0.0, 0.4)),
        stagger=rng.choice((0.0, 0.0, rng.uniform(15, 90))),
        narrow=rng.choice((1.0, 1.0, rng.uniform(0.45, 0.9))),
        leading=rng.choice((LEADING, rng.uniform(1.1, 1.8))),
        spaces=rng.choice((1, 1, 2, 3, 4)) if narrow else rng.choice((1, 1, 1, 1, 2, 3)) if wide else 1,
    )
    order = rng.choices(("both", "english first", "english"), (70, 20, 10))[0]
    short = rng.random() < 0.15
    manner = partial(_label, order=order, numbered=rng.random() < 0.08, bare=rng.random() < 0.4, short=short)
    share, column = rng.choice((0.0, 0.0, 0.3, 0.7)), rng.choice((0.0, 0.5, 0.9)) if narrow else 0.0
    return Style(family, manner, partial(_changed, share=share, column=column, moved=_SELDOM if in_order else _OFTEN))


def _block(rng: random.Random) -> Block:
    ways, weights = [way for way, _ in _BLOCKS], [weight for _, weight in _BLOCKS]
    if rng.random() > _MIXED:
        return rng.choices(ways, weights)[0]
    some, card = rng.choices(ways, weights, k=3), rng.getrandbits(32)

    def mixed(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
        return random.Random(f"{card}{entry.key}").choice(some)(s, entry, x, y, width)

    return mixed


@cache
def _wordings(key: str) -> tuple[Wording, ...]:
    rows = (row.split("|") for row in words("varied_labels"))
    more = tuple((french, english) for name, french, english in rows if name == key)
    return (*wordings(key, "learnt"), *more)


def _label(rng: random.Random, key: str, *, order: str, numbered: bool, bare: bool, short: bool) -> Wording:
    french, english = rng.choice(_wordings(key))
    if bare:
        french, english = plain(french), plain(english)
    if short:
        french, english = _shortened(rng, french), _shortened(rng, english)
    if order == "english first":
        french, english = english, french
    elif order == "english":
        french, english = english, ""
    return (f"{rng.randrange(1, 10)}. {french}" if numbered else french), english


def _shortened(rng: random.Random, text: str) -> str:
    """Some of its long words cut, as `NATIONALITE` to `NATION.`."""
    return " ".join(
        word[: rng.randrange(3, len(word) - 1)] + "."
        if len(word) > 5 and word.isalpha() and rng.random() < 0.5
        else word
        for word in text.split(" ")
    )


def _changed(
    rng: random.Random, entries: list[Entry], *, share: float, column: float, moved: tuple[float, float]
) -> list[Entry]:
    """share: of texts that go over lines although there is room; column: of those that stand in a narrow column;
    moved: `_OFTEN` or `_SELDOM`."""
    out = list(entries)
    for _ in range(rng.choices((0, 1, 2, 3), (45, 30, 15, 10))[0]):
        french, english, values = rng.choice(_OTHERS)
        out.insert(rng.randrange(len(out) + 1), Entry("other", (french, english), rng.choice(values), None))
    luck = rng.random()
    if luck < moved[0]:
        rng.shuffle(out)
    elif luck < moved[1]:
        at = rng.randrange(len(out) - 1)
        out[at], out[at + 1] = out[at + 1], out[at]
    return broken(rng, stacked(rng, out, column) if column else out, share)
