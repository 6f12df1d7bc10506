"""The machine-readable zone among OCR lines: merged, split, with letters for digits and K for fillers."""

import datetime
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.mrz import check_digit as reference
from adapters.data.mrz import td1
from ocr_frontend.documents.mrz import Zone, check_digit, find_zone
from ocr_frontend.ocr.reader import Box, TextLine

BOX: Box = ((0, 0), (9, 0), (9, 9), (0, 9))
TODAY = datetime.date(2026, 6, 1)
CARD = {"card": "988889794", "nic": "DH37800202", "birth": "14.05.1945", "sex": "M", "expiry": "17.04.2035"}
ONE, TWO, THREE = td1(**CARD, surname="NGO MBARGA", given="ÉLISE")  # type: ignore[arg-type]


def zone(*texts: str) -> Zone | None:
    return find_zone([TextLine(text, 0.9, BOX) for text in texts], TODAY)


WHOLE = Zone(
    "988889794", "DH37800202", datetime.date(1945, 5, 14), "M", datetime.date(2035, 4, 17), "NGO MBARGA", "ELISE",
    True, 1,
)  # fmt: skip


def test_the_example_of_icao_9303() -> None:
    assert check_digit("D23145890") == "7" and check_digit("340712") == "7" and check_digit("950712") == "2"


@pytest.mark.parametrize(
    "texts",
    [
        ("SPECIMEN", ONE, TWO, THREE),
        ("SPECIMEN", ONE + TWO, THREE),
        ("SPECIMEN", ONE + TWO + THREE),
        ("SPECIMEN", ONE[:25], ONE[25:], TWO[:18], TWO[18:], THREE),
        ("SPECIMEN", ONE.replace("<", "K"), TWO.replace("<", "C"), THREE),
        ("SPECIMEN", ONE.replace("I<", "1L"), TWO.replace("<<<", "S"), THREE),
        ("SPECIMEN", ONE.replace("0", "O"), TWO.replace("0", "O").replace("5", "S"), THREE.replace("O", "0")),
        ("SPECIMEN", ONE.replace("8", "B"), TWO, THREE),
        ("SPECIMEN", ONE.lower(), " ".join(TWO), THREE.replace("<<", "«")),
    ],
)
def test_it_is_read_whatever_ocr_made_of_it(texts: tuple[str, ...]) -> None:
    assert zone(*texts) == WHOLE


def test_a_wrong_digit_is_not_believed() -> None:
    wrong = zone("x", ONE.replace("98888", "98988"), TWO, THREE)
    assert wrong is not None
    assert (wrong.card_number, wrong.nic, wrong.holds) == (None, None, False)
    assert wrong.birth == WHOLE.birth


def test_a_wrong_digit_of_the_nic_number_shows_in_the_composite_alone() -> None:
    wrong = zone("x", ONE.replace("DH378", "DH379"), TWO, THREE)
    assert wrong is not None
    assert (wrong.card_number, wrong.nic, wrong.holds) == ("988889794", None, False)


def test_a_zone_without_a_nic_number() -> None:
    lines = td1(**CARD | {"nic": None}, surname="A", given="B")  # type: ignore[arg-type]
    found = zone(*lines)
    assert found is not None and (found.nic, found.holds) == ("", True)


@pytest.mark.parametrize("texts", [(), ("NOM DU PERE",), (ONE,), (TWO, ONE), ("I<FRA" + ONE[5:], TWO)])
def test_no_zone(texts: tuple[str, ...]) -> None:
    assert zone(*texts) is None


def test_names_that_the_thirty_characters_cut() -> None:
    found = zone(ONE, TWO, "MAETCHEU<DONGMO<TCHINDA<<ABDEL")
    assert found is not None and (found.surname, found.given_names) == ("MAETCHEU DONGMO TCHINDA", "ABDEL")
    cut = zone(ONE, TWO, "A" * 30)
    assert cut is not None and (cut.surname, cut.given_names) == (None, None)


def test_impossible_dates_are_none() -> None:
    one, two, _ = td1(**CARD | {"birth": "45.13.1999"}, surname="A", given="B")  # type: ignore[arg-type]
    found = zone(one, two)
    assert found is not None and found.birth is None


@given(st.integers(0, 10**6))
def test_a_held_zone_is_the_printed_one(seed: int) -> None:
    """Any one character of the zone misread: either the composite fails or the NIC number is right."""
    rng = random.Random(seed)
    text = list(ONE + TWO)
    text[rng.randrange(5, len(text))] = rng.choice("0123456789OISBZKCL<")
    found = zone("".join(text))
    if found is not None and found.holds and "".join(text[15:25]) == ONE[15:25]:
        assert found.nic == CARD["nic"]


@given(st.text("ABCXYZ0123456789<", max_size=40))
def test_the_check_digit_agrees_with_the_printer(text: str) -> None:
    assert check_digit(text) == reference(text)


@given(st.lists(st.text("I<CMRK0123456789OSB", max_size=70), max_size=4))
def test_any_text_is_survived(texts: list[str]) -> None:
    zone(*texts)
