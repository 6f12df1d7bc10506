"""What a watermark leaves at a value's end comes off; names stay whole."""

import pytest

from adapters.data.vocabulary import words
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.watermarks import likeness_to_static, static_pieces, static_words, without_rest
from tests.unit.front.pages import RECTO, RECTO_ANSWER, resolved

STATIC = static_words(text for spec in builtin().every.values() for text in spec.static)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("KUMBAPECIMEN", "KUMBA"),
        ("NGO TSALA ECIMEN", "NGO TSALA"),
        ("NOELLE MEROUN", "NOELLE"),
        ("NOELLE CAMEROUN", "NOELLE CAMEROUN"),  # a whole word may be a name
        ("ECIMEN", "ECIMEN"),
        ("COMPTABLE PUBLIC", "COMPTABLE PUBLIC"),
        ("INGENIEUR EN SANTÉ PUBLIQUE", "INGENIEUR EN SANTÉ PUBLIQUE"),
        ("SUTHERLAND", "SUTHERLAND"),
        ("12.03.1990", "12.03.1990"),
        ("", ""),
    ],
)
def test_a_rest_comes_off(text: str, left: str) -> None:
    assert without_rest(text, STATIC) == left


def test_what_comes_off_is_told() -> None:
    texts = [*RECTO[:7], "DOUALA AMEROUN", *RECTO[8:]]
    found = resolved("cni-2018-recto", texts, RECTO_ANSWER)
    assert (found["lieu_of_birth"].value, found["lieu_of_birth"].codes) == ("DOUALA", {"watermark_left_out"})
    assert not any(each.codes for key, each in found.items() if key != "lieu_of_birth")
    texts[5] = "01.02.1990 AMEROUN"  # a date is found in its line, whatever stands behind it
    assert not resolved("cni-2018-recto", texts, RECTO_ANSWER)["date_of_birth"].codes


@pytest.mark.parametrize(
    "kind",
    [
        "given", "surnames", "hard_surnames", "places", "villages", "professions", "hard_professions",
        "profession_domains",
    ],
)  # fmt: skip
def test_every_name_place_and_trade_stays(kind: str) -> None:
    known = [f"X {line.split('|')[-1].upper()}" for line in words(kind)]
    assert [without_rest(text, STATIC) for text in known] == known


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("AMEROU", 1.0, 1.0),
        ("ECIMEN", 1.0, 1.0),
        ("SPEC1MEN", 0.8, 1.0),
        ("REPUBLIQUE DU CAMEROUN", 1.0, 1.0),
        ("MBARGA ATANGANA JEANNE", 0.0, 0.6),
        ("F", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_a_piece_of_a_static_line_is_known(text: str, least: float, most: float) -> None:
    pieces = static_pieces(("SPECIMEN", "REPUBLIQUE DU CAMEROUN"))
    assert least <= likeness_to_static(text, pieces) <= most
