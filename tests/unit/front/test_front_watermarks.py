"""What a watermark leaves at a value's end comes off; names stay whole."""

import pytest

from adapters.data.vocabulary import words
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.watermarks import static_words, without_rest

STATIC = static_words(text for spec in builtin().every.values() for text in spec.static)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("KUMBAPECIMEN", "KUMBA"),
        ("NGO TSALA ECIMEN", "NGO TSALA"),
        ("NOELLE MEROUN", "NOELLE"),
        ("NOELLE CAMEROUN", "NOELLE CAMEROUN"),  # a whole word may be a name
        ("ECIMEN", "ECIMEN"),
        ("12.03.1990", "12.03.1990"),
        ("", ""),
    ],
)
def test_a_rest_comes_off(text: str, left: str) -> None:
    assert without_rest(text, STATIC) == left


@pytest.mark.parametrize("kind", ["given", "surnames", "hard_surnames", "places", "villages", "professions"])
def test_every_name_place_and_trade_stays(kind: str) -> None:
    known = [f"X {line.split('|')[-1].upper()}" for line in words(kind)]
    assert [without_rest(text, STATIC) for text in known] == known
