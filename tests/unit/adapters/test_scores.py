"""The evaluation's judgement of one value, and the ceiling that the OCR sets."""

import pytest

from adapters.evaluation.metrics import judge, normalise, readable, stands, written
from adapters.evaluation.summary import Card, summarise


def test_a_value_that_is_right_to_the_letter() -> None:
    seen = judge("nom_surname", "text", "NGO MBARGA", "NGO MBARGA", ["NOM", "NGO MBARGA"])
    assert (seen.exact, seen.normalised, seen.errors, seen.anls, seen.ceiling, seen.invented) == (
        True,
        True,
        0,
        1.0,
        True,
        False,
    )


def test_accents_and_case_count_only_in_the_exact_score() -> None:
    seen = judge("p", "text", "THÉODORE", "Theodore", ["Theodore"])
    assert (seen.exact, seen.normalised, seen.ceiling) == (False, True, False)


def test_a_missing_field_must_stay_null() -> None:
    right = judge("p", "text", None, None, ["X"])
    wrong = judge("p", "text", None, "X", ["X"])
    assert (right.exact, right.anls, right.ceiling) == (True, 1.0, True)
    assert (wrong.exact, wrong.normalised, wrong.anls, wrong.invented) == (False, False, 0.0, False)


def test_an_invented_value_is_found_out() -> None:
    assert judge("p", "text", "AKUM", "BERYL", ["AKUM"]).invented


def test_anls_gives_nothing_below_one_half() -> None:
    assert judge("p", "text", "ABCD", "ABXX", []).anls == 0.5
    assert judge("p", "text", "ABCD", "AXXX", []).anls == 0.0


@pytest.mark.parametrize(
    ("kind", "truth", "lines", "expected"),
    [
        ("height", "1.75", ["1,75 m"], True),
        ("height", "1.75", ["M 1,75m"], True),
        ("height", "1.75", ["1,76"], False),
        ("text", "NGO MBARGA EPSE BIYA", ["NGO MBARGA", "EPSE BIYA"], True),
        ("text", "NGO MBARGA", ["NG0 MBARGA"], False),
        ("date", "01.02.1990", ["01.021990"], False),
    ],
)
def test_the_ceiling_is_what_the_ocr_read_exactly(kind: str, truth: str, lines: list[str], expected: bool) -> None:
    assert readable(kind, truth, lines) is expected  # type: ignore[arg-type]


def test_a_repaired_date_still_stands_in_the_text() -> None:
    assert stands("date", "01.02.1990", ["O1.021990"])
    assert not stands("date", "01.02.1991", ["O1.021990"])


def test_heights_are_compared_as_they_are_written() -> None:
    assert written("height", 1.7) == "1.70"
    assert written("height", "tall") == "tall"
    assert normalise("D'ÉTAT  (x)") == "detatx"


def test_a_row_sums_cards_up() -> None:
    good = judge("a", "text", "X", "X", ["X"])
    bad = judge("a", "text", "X", None, ["X"])
    cards = [
        Card("d", "clean", "m", (good, good), False, {"llm": 10.0, "total": 20.0}),
        Card("d", "clean", "m", (good, bad), True, {"llm": 30.0, "total": 40.0}),
    ]
    row = summarise(cards)
    assert row["fields_exact"] == 0.75
    assert row["exact_of_read"] == 0.75
    assert (row["cards_right"], row["cards_ceiling"], row["invalid_json"]) == (0.5, 1.0, 0.5)
    assert row["character_error_rate"] == 0.25
    assert row["llm_p50_ms"] == 20.0
