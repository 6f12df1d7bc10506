"""Characters of other scripts are not read where the setting says Latin."""

from typing import Any

import numpy as np
import pytest

from ocr_frontend.ocr.script import columns, decoder
from ocr_frontend.ocr.unwritten import Unwritten

CHARACTERS = ["blank", "A", "é", "ŋ", "ɓ", "ẹ", "’", "€", "№", "А", "Α", "日", "Ⅱ", "：", "０", "●", " "]


def test_latin_keeps_its_letters_signs_blank_and_space() -> None:
    kept = columns(CHARACTERS, "latin")
    assert kept is not None
    assert [CHARACTERS[at] for at in kept] == ["blank", "A", "é", "ŋ", "ɓ", "ẹ", "’", "€", "№", " "]
    assert columns(CHARACTERS, "any") is None


@pytest.mark.parametrize("look_alike", ["А", "Α"])
def test_the_likeliest_that_may_be_read_is_read(look_alike: str) -> None:
    kept = columns(CHARACTERS, "latin")
    assert kept is not None

    def decode(numbers: list[Any], scores: list[Any], is_remove_duplicate: bool) -> list[tuple[str, float]]:
        assert is_remove_duplicate
        return [
            ("".join(CHARACTERS[n] for n in row), float(score.min()))
            for row, score in zip(numbers, scores, strict=True)
        ]

    predicted = np.zeros((1, 1, len(CHARACTERS)), np.float32)
    predicted[0, 0, CHARACTERS.index(look_alike)], predicted[0, 0, 1] = 0.6, 0.3
    texts, scores = decoder(decode, Unwritten(CHARACTERS), kept)([predicted])
    assert texts == ["A"] and scores == [pytest.approx(0.3)]
