"""A written value that nearly stands on a line is what that line says; one that does not is left to be reported."""

import pytest

from ocr_frontend.extraction.misspelling import with_spelling_of_lines
from ocr_frontend.ocr.reader import Box, TextLine

BOX: Box = ((0, 0), (1, 0), (1, 1), (0, 1))
LINES = [TextLine(text, 0.9, BOX) for text in ("PROFESSION / OCCUPATION LOGISTICIEN", "ELIANE VINCENT TJOMB", "M 1,75")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("LOISTICIEN", "LOGISTICIEN"),
        ("ELIE VINCENT TJOMB", "ELIANE VINCENT TJOMB"),
        ("LOGISTICIEN", "LOGISTICIEN"),
        ("VINCENT", "VINCENT"),
        ("CHAUFFEUR", "CHAUFFEUR"),
        ("", ""),
    ],
)
def test_what_the_line_says_takes_the_place_of_a_misspelling(written: str, expected: str) -> None:
    assert with_spelling_of_lines({"name": written}, {"name"}, LINES) == {"name": expected}


def test_numbers_nulls_and_typed_fields_are_left() -> None:
    given = {"name": 1, "none": None, "two": (0, 1), "sex": "N"}
    assert with_spelling_of_lines(given, {"name", "none", "two"}, LINES) == given
