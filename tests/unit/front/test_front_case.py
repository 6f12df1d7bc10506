"""Capitals among small letters: only of letters that look the same, and only inside of a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.ocr.case import evened


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("NelsOn Gilbert", "Nelson Gilbert"),
        ("BanYo", "Banyo"),
        ("BonaVenture MBELLE", "Bonaventure MBELLE"),
        ("McKenzie DeSouza", "McKenzie DeSouza"),
        ("PreviOUS", "PreviOUS"),  # capitals beside each other are meant
        ("MaRie", "MaRie"),  # an R is no r
        ("NGA'A Menounga", "NGA'A Menounga"),
        ("LOÏC AGNÈS RAPHAËL", "LOÏC AGNÈS RAPHAËL"),
        ("AïssatOu", "Aïssatou"),
    ],
)
def test_a_capital_inside_of_a_word_of_small_letters_is_a_small_one(read: str, meant: str) -> None:
    assert evened(read) == meant


@given(st.text())
def test_only_the_case_of_letters_changes(text: str) -> None:
    assert evened(text).lower() == text.lower()


@given(st.text(st.characters(categories=["Lu"], max_codepoint=0xFF)))
def test_capitals_alone_stay(text: str) -> None:
    assert evened(text) == text
