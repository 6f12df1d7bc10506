"""Nothing that a test card says or is printed in was seen in training."""

import random
import re
from itertools import combinations

import pytest

from adapters.data.documents import DOCUMENT_NAMES
from adapters.data.fonts import FAMILIES, load, mono_file, path_of
from adapters.data.people import Record, sample_record
from adapters.data.vocabulary import PARTICLES, SPLITS, Split, composed_word, fold, listed, split_of

NAMES = {"nom_surname", "prenom_given_name", "pere_father", "mere_mother", "authorité"}


@pytest.fixture(scope="module")
def records() -> dict[Split, list[Record]]:
    rng = random.Random(7)
    return {split: [sample_record(rng, d, split) for _ in range(250) for d in DOCUMENT_NAMES] for split in SPLITS}


def said(records: list[Record], keys: set[str]) -> set[str]:
    return {value for record in records for key, value in record.values.items() if key in keys and value}


def name_parts(records: list[Record]) -> set[str]:
    parts = {fold(p) for name in said(records, NAMES) for p in re.split(r"[ -]|(?<=\bD)'", name)}
    return parts - {fold(p) for p in PARTICLES}


@pytest.mark.parametrize("kind", ["surnames", "given", "places", "professions"])
def test_lists_are_disjoint_and_large(kind: str) -> None:
    sides = {split: {fold(word) for word in listed(kind, split)} for split in SPLITS}
    assert len(sides["train"]) > 200
    assert len(sides["test"]) > 60
    for one, other in combinations(SPLITS, 2):
        assert not sides[one] & sides[other]


@pytest.mark.parametrize(("one", "other"), list(combinations(SPLITS, 2)))
def test_records_share_no_name_part_place_or_profession(
    records: dict[Split, list[Record]], one: Split, other: Split
) -> None:
    assert not name_parts(records[one]) & name_parts(records[other])
    for keys in ({"lieu_of_birth"}, {"profession"}):
        left, right = ({fold(value) for value in said(records[s], keys)} for s in (one, other))
        assert not left & right


def test_every_name_part_hashes_to_its_split(records: dict[Split, list[Record]]) -> None:
    for split in SPLITS:
        assert {split_of(part) for part in name_parts(records[split])} == {split}


def test_composed_words_keep_their_stem_apart() -> None:
    rng = random.Random(3)
    words = {split: {composed_word(rng, split, "onsets") for _ in range(2000)} for split in SPLITS}
    assert not words["train"] & words["test"]
    assert len(words["train"]) > 1000


def test_names_are_too_many_to_remember(records: dict[Split, list[Record]]) -> None:
    assert len(name_parts(records["train"])) > 1200


def test_fonts_are_disjoint_and_at_least_five() -> None:
    files = {split: {path_of(f) for fam in FAMILIES[split] for f in (fam.regular, fam.bold)} for split in SPLITS}
    for split in SPLITS:
        files[split].add(path_of(mono_file(split)))
    for one, other in combinations(SPLITS, 2):
        assert not files[one] & files[other]
    assert len({family.name for families in FAMILIES.values() for family in families}) >= 5


@pytest.mark.parametrize("family", [f for families in FAMILIES.values() for f in families], ids=lambda f: f.name)
def test_fonts_draw_accents(family: object) -> None:
    for file in (family.regular, family.bold):  # type: ignore[attr-defined]
        font = load(file, 40)
        tofu = bytes(font.getmask("\U000e0000"))
        shapes = [bytes(font.getmask(c)) for c in "EÉÈÊËIÏÎAÀÂCÇOÔUÛ'"]
        assert tofu not in shapes
        assert len(set(shapes)) == len(shapes)
