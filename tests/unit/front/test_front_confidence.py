"""Evidence and the weights that turn it into a confidence: surer models and honest signs."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.evidence import SIGNS, VERSION, Evidence
from ocr_frontend.extraction.confidence import SHIPPED, Calibration, CalibrationError, Weights, load_calibration
from ocr_frontend.extraction.evidence import gather, log_odds
from ocr_frontend.extraction.resolve import resolve_all
from ocr_frontend.extraction.rules import candidates
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO, RECTO_ANSWER, line, page

SURE = dict.fromkeys(RECTO_ANSWER, -0.001)


def evidence(
    answer: Mapping[str, Element] = RECTO_ANSWER,
    logprobs: Mapping[str, float] = SURE,
    given: Sequence[TextLine | str] = RECTO,
) -> dict[str, Evidence]:
    shown = page("cni-2018-recto", given)
    found = candidates(answer, shown)
    gathered = gather(shown, resolve_all(found, shown), found, logprobs, {})
    assert gathered is not None
    return gathered


def test_the_label_above_speaks_for_its_own_field_and_against_another() -> None:
    few = RECTO[:4]  # two labels: not enough to outrank the model
    right, wrong = evidence(), evidence({"nom_surname": 3, "prenom_given_name": 1}, given=few)
    assert right["nom_surname"]["own_label"] == 1 and "other_label" not in right["nom_surname"]
    assert wrong["nom_surname"]["other_label"] == 1 and "own_label" not in wrong["nom_surname"]


def test_a_tailor_is_as_sure_as_a_joiner() -> None:
    tailor = evidence(given=[*RECTO[:-1], "TAILLEUR"])["profession"]
    joiner = evidence()["profession"]
    assert {k: v for k, v in tailor.items() if k != "length"} == {k: v for k, v in joiner.items() if k != "length"}


def test_the_least_sure_letter_of_a_value_counts_beside_its_line() -> None:
    unsure = [*RECTO[:-1], replace(line(RECTO[-1], len(RECTO) - 1), letter=0.6)]
    told, mean = evidence(given=unsure)["profession"], evidence()["profession"]
    assert told["ocr"] == mean["ocr"] and 0 < told["letter"] < mean["letter"]
    assert mean["letter"] == mean["ocr"]  # nobody looked: the line's score says it


def test_a_value_that_nobody_claims_under_its_label_speaks_against_null() -> None:
    two = [*RECTO, line("SOUDEUR", 13, 120)]
    assert evidence({**RECTO_ANSWER, "profession": None}, given=two)["profession"]["orphan"] == 1


def test_a_rule_that_changes_the_answer_never_raises_the_confidence() -> None:
    named, placed = evidence(), evidence({**RECTO_ANSWER, "profession": None})
    assert placed["profession"]["model"] == -named["profession"]["model"]


@given(st.floats(-20, 0), st.floats(-20, 0))
def test_a_surer_model_never_lowers_the_confidence(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert log_odds(low) <= log_odds(high)
    weights = Weights(intercept=0.3, weights={"model": 0.8, "own_label": 1.0})
    given = evidence(logprobs={**SURE, "nom_surname": low})["nom_surname"]
    surer = evidence(logprobs={**SURE, "nom_surname": high})["nom_surname"]
    assert weights.confidence(given) <= weights.confidence(surer)


def test_every_number_has_a_sign() -> None:
    assert {name for field in evidence().values() for name in field} <= SIGNS.keys()
    assert all(math.isfinite(value) for field in evidence().values() for value in field.values())


def test_without_log_probabilities_there_is_no_evidence() -> None:
    shown = page("cni-2018-recto", RECTO)
    found = candidates(RECTO_ANSWER, shown)
    assert gather(shown, resolve_all(found, shown), found, {}, {}) is None


def test_a_model_without_weights_has_no_confidence() -> None:
    calibration = Calibration({"cni@1": Weights(intercept=0.0, weights={"model": 1.0})})
    assert calibration.of("cni@2") is None
    known = calibration.of("cni@1")
    assert known is not None
    assert known.confidence({"model": 0.0}) == 0.5
    assert known.confidence({"model": 8.0, "unheard of": 9.0}) == pytest.approx(0.9997, abs=1e-4)
    assert 0 <= known.confidence({"model": -1e9}) < 1e-6


def test_weights_that_travel_with_a_revision_count_before_the_file_s() -> None:
    calibration = Calibration({"cni@1": Weights(intercept=0.0, weights={})})
    carried = calibration.of("cni@1", {"intercept": 2.0, "weights": {}})
    assert carried is not None and carried.intercept == 2.0
    older = calibration.of("cni@1", {"evidence": 1, "intercept": 2.0, "weights": {}})
    assert older is not None and older.intercept == 0.0
    assert calibration.of("cni@1", {"intercept": "x"}) is None


def test_weights_of_a_version_that_differs_in_names_alone_are_good() -> None:
    carried = Calibration({}).of("mine@1", {"evidence": 2, "intercept": 0.5, "weights": {"zone": 1.5, "model": 0.5}})
    assert carried == Weights(intercept=0.5, weights={"mrz": 1.5, "model": 0.5})


@pytest.mark.parametrize("name", [name for name, sign in SIGNS.items() if sign])
def test_weights_of_the_wrong_sign_are_refused(name: str) -> None:
    Weights(intercept=0, weights={name: float(SIGNS[name])})
    with pytest.raises(ValueError, match=name):
        Weights(intercept=0, weights={name: float(-SIGNS[name])})


def test_weights_of_older_evidence_are_left_out_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    body = {"evidence": 1, "models": {"cni@1": {"intercept": 1, "weights": {}}}}
    path.write_text(json.dumps(body))
    assert load_calibration(path).of("cni@1") is None
    path.write_text(json.dumps(body | {"evidence": VERSION}))
    assert load_calibration(path).of("cni@1") is not None
    for broken in ("{", "[]", '{"models": {"a": {"weights": {}}}}'):
        path.write_text(broken)
        with pytest.raises(CalibrationError, match="adapters calibrate"):
            load_calibration(path)


def test_the_shipped_weights_can_be_read() -> None:
    load_calibration(SHIPPED)
