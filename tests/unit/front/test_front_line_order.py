"""A value's lines: each once, in the order in which people read them, and told where the model said otherwise."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.extraction.line_order import named_twice, out_of_order
from ocr_frontend.extraction.resolve import Resolved
from tests.unit.front.pages import RECTO, RECTO_ANSWER, page, resolved

BROKEN = ("NOM/SURNAME", "MBARGA EPSE", "NGO BIYONG", *RECTO[2:])
ANSWER = {key: index + (index > 1) for key, index in RECTO_ANSWER.items()}


def surname(*lines: int) -> Resolved:
    return resolved("cni-2018-recto", BROKEN, {**ANSWER, "nom_surname": lines})["nom_surname"]


def test_a_line_named_twice_is_taken_once_and_told() -> None:
    found = surname(1, 2, 1)
    assert (found.value, found.source, found.codes) == ("MBARGA EPSE NGO BIYONG", "rule:named_twice", {"named_twice"})
    assert found.alternatives == (("MBARGA EPSE NGO BIYONG MBARGA EPSE", "model"),)


def test_lines_against_their_order_are_put_right_and_told() -> None:
    found = surname(2, 1)
    assert (found.value, found.codes) == ("MBARGA EPSE NGO BIYONG", {"out_of_order"})
    assert surname(1, 2).codes == set()


@pytest.mark.parametrize("said", list(permutations((1, 3, 5))))
def test_any_order_of_lines_below_each_other_becomes_one(said: tuple[int, ...]) -> None:
    shown = page("cni-2018-recto", RECTO)
    found = out_of_order({"nom_surname": said}, shown)
    assert found["nom_surname"].element == (1, 3, 5) if found else said == (1, 3, 5)


@given(st.lists(st.integers(0, len(RECTO) - 1), min_size=2, max_size=5))
def test_no_line_is_lost_or_added(said: list[int]) -> None:
    shown = page("cni-2018-recto", RECTO)
    elements = {"nom_surname": tuple(said)}
    for rule in (named_twice, out_of_order):
        for candidate in rule(elements, shown).values():
            element = candidate.element
            assert set(said) == set(element if isinstance(element, tuple) else (element,))
