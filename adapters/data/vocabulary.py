"""Names, places and professions. Every word belongs to exactly one of train, valid and test.

The split is a hash of the word itself (accents and case folded), so it needs no stored lists, and a composed name that
happens to equal a listed one lands on the same side.
"""

import hashlib
import random
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

# The only words that all splits share: a handful of particles cannot be divided, and nothing is learnt from them.
PARTICLES = ("NGO", "DE", "EL", "BEN", "EPSE", "NEE", "MA", "D'", "MC", "VAN")

_QUARTERS = (" I", " II", " III", " IV", " CENTRE", " RURAL", " VILLAGE", " TOWN", " URBAIN")


def fold(word: str) -> str:
    """Upper case without accents, apostrophes and hyphens: what makes two spellings the same word."""
    bare = unicodedata.normalize("NFD", word.upper())
    return "".join(c for c in bare if c.isalnum())


def split_of(word: str) -> Split:
    """The split that a word belongs to: 70 % train, 10 % valid, 20 % test."""
    bucket = hashlib.sha256(fold(word).encode()).digest()[0] % 10
    return "train" if bucket < 7 else "valid" if bucket < 8 else "test"


@cache
def words(kind: str) -> tuple[str, ...]:
    """The items of `words/<kind>.txt`, one a line."""
    text = files(__package__).joinpath("words", f"{kind}.txt").read_text("utf-8")
    return tuple(item for item in text.splitlines() if item)


@cache
def listed(kind: str, split: Split) -> tuple[str, ...]:
    """The items of `words/<kind>.txt` that belong to `split`."""
    return tuple(item for item in words(kind) if split_of(item) == split)


def composed_word(rng: random.Random, split: Split, starts: str) -> str:
    """A word made of syllables; its stem and the word itself both belong to `split`."""
    while True:
        stem = rng.choice(words(starts)) + rng.choice(words("middles"))
        word = stem + rng.choice(words("endings"))
        if split_of(stem) == split and split_of(word) == split and 4 <= len(word) <= 13:
            return word


def surname_part(rng: random.Random, split: Split) -> str:
    """One surname word, half of them listed, half of them composed."""
    if rng.random() < 0.5:
        return rng.choice(listed("surnames", split))
    return composed_word(rng, split, "onsets")


def given_part(rng: random.Random, split: Split) -> str:
    """One given name; some lose their accents, as many registers write them."""
    name = rng.choice(listed("given", split)) if rng.random() < 0.92 else composed_word(rng, split, "onsets")
    return name if rng.random() < 0.6 else plain(name)


def place(rng: random.Random, split: Split) -> str:
    """A town, village or quarter: listed, or composed from a village prefix."""
    name = rng.choice(listed("places", split)) if rng.random() < 0.55 else composed_word(rng, split, "villages")
    return name + rng.choice(_QUARTERS) if rng.random() < 0.15 else name


def profession(rng: random.Random, split: Split) -> str:
    """A profession in French or English: listed, or a grade in a domain."""
    if rng.random() < 0.65:
        name = rng.choice(listed("professions", split))
    else:
        name = f"{rng.choice(listed('profession_heads', split))} EN {rng.choice(listed('profession_domains', split))}"
    return name if rng.random() < 0.5 else plain(name)


def plain(text: str) -> str:
    """The text without its accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
