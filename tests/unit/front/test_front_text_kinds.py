"""What a text is by its letters: of words that nobody learnt from, and whatever people send."""

import random
from collections.abc import Callable
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.people import full_name
from adapters.data.vocabulary import Split, place, profession
from ocr_frontend.documents.text_kinds import BUCKETS, KINDS, OF_STANDARD, buckets, shipped_kinds

PERSONS = ("surname", "given", "full")


@pytest.mark.parametrize(("draw", "kinds"), [(full_name, PERSONS), (place, ("place",)), (profession, ("work",))])
def test_most_texts_of_unseen_words_are_told(
    draw: Callable[[random.Random, Split], str], kinds: tuple[str, ...]
) -> None:
    rng, known = random.Random(5), shipped_kinds()
    texts = [draw(rng, "test") for _ in range(300)]
    right = sum(sum(known.shares(text)[kind] for kind in kinds) > 0.5 for text in texts)
    assert right > 190  # composed villages are the hardest; of real towns and names nine of ten are told


@pytest.mark.parametrize(
    ("text", "kind"),
    [("AGENT DE SÉCURITÉ", "work"), ("INFIRMIERE", "work"), ("NGAOUNDÉRÉ", "place"), ("Jean-Paul", "given")],
)
def test_case_accents_and_signs_say_nothing(text: str, kind: str) -> None:
    shares = shipped_kinds().shares(text)
    assert max(shares, key=lambda name: shares[name]) == kind
    assert shares == shipped_kinds().shares(text.lower().replace("-", " "))


@given(st.text(max_size=60))
def test_shares_of_any_text_add_up_to_one(text: str) -> None:
    shares = shipped_kinds().shares(text)
    assert set(shares) == set(KINDS)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert all(0 <= bucket < BUCKETS for bucket in buckets(text))


def test_what_speaks_for_a_field_speaks_against_others() -> None:
    known = shipped_kinds()
    trade, town = known.features("MENUISIER", "occupation"), known.features("MENUISIER", "birth_place")
    assert trade["kind"] > town["kind"]
    assert exp(trade["kind"]) + exp(town["kind"]) <= 1.0 + 1e-9
    assert known.features("MENUISIER", "birth_date") == {} == known.features("MENUISIER", "")
    assert set(OF_STANDARD.values()) == set(KINDS)
