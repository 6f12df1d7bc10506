"""The logistic regression behind the confidence, and the figures that say whether to trust it."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import EvaluationError
from adapters.evaluation.calibrate import _enough
from adapters.evaluation.calibration import (
    Fitted,
    Observed,
    area,
    bins,
    calibration_error,
    crossed,
    fit,
    kept_right,
    wrong_among,
)


def drawn(count: int, seed: int = 1) -> list[Observed]:
    """Fields that are right with log-odds 1 + 2 a - b; `c` means nothing."""
    rng = random.Random(seed)
    rows = []
    for place in range(count):
        evidence = {"a": rng.gauss(0, 1), "b": rng.gauss(0, 2), "c": rng.gauss(0, 1)}
        chance = 1 / (1 + np.exp(-(1 + 2 * evidence["a"] - evidence["b"])))
        rows.append(Observed(place // 7, evidence, rng.random() < chance))
    return rows


def test_the_weights_that_made_the_data_are_found() -> None:
    fitted = fit(drawn(6000))
    assert fitted.intercept == pytest.approx(1, abs=0.15)
    assert fitted.weights == {
        "a": pytest.approx(2, abs=0.2), "b": pytest.approx(-1, abs=0.1), "c": pytest.approx(0, abs=0.1),
    }  # fmt: skip


def test_confidences_of_cards_that_were_not_fitted_are_honest() -> None:
    rows = drawn(4000, seed=2)
    sure, right = crossed(rows), np.array([float(row.right) for row in rows])
    assert calibration_error(sure, right) < 0.03
    assert kept_right(sure, right, 0.5) > right.mean() + 0.15
    assert kept_right(sure, right, 1.0) == pytest.approx(right.mean())
    assert sum(b["fields"] for b in bins(sure, right)) == len(rows)


def test_evidence_that_never_varies_gets_no_weight_and_all_right_is_no_crash() -> None:
    rows = [Observed(place, {"a": 1.0}, True) for place in range(50)]
    fitted = fit(rows)
    assert fitted.weights == {} and fitted.confidences(rows[:1])[0] > 0.99


def test_overconfidence_is_seen() -> None:
    sure, right = np.full(100, 0.99), np.array([1.0] * 60 + [0.0] * 40)
    assert calibration_error(sure, right) == pytest.approx(0.39)


def test_too_few_mistakes_are_refused() -> None:
    with pytest.raises(EvaluationError, match="--count"):
        _enough([Observed(0, {}, True)] * 100)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_no_weight_has_the_wrong_sign_and_the_rest_is_the_best_there_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signs = {"a": 1, "b": -1, "c": 0}
    true = rng.normal(0, 1.5, 3)
    rows = [
        Observed(n, dict(zip(signs, map(float, x), strict=True)), bool(rng.random() < 1 / (1 + np.exp(-(x @ true)))))
        for n, x in enumerate(rng.normal(size=(300, 3)))
    ]
    fitted = fit(rows, signs)
    assert all(fitted.weights[name] * sign >= 0 for name, sign in signs.items())

    def loss(weights: dict[str, float]) -> float:
        sure = Fitted(fitted.intercept, weights).confidences(rows)
        right = np.array([row.right for row in rows])
        spread = {name: float(np.std([row.evidence[name] for row in rows])) for name in weights}
        prior = sum((weights[name] * spread[name]) ** 2 + (weights[name] / 3) ** 2 for name in weights) / 2
        return float(-np.log(np.where(right, sure, 1 - sure)).sum()) + prior

    for name, sign in signs.items():
        for nudge in (0.3, -0.3):
            moved = {**fitted.weights, name: fitted.weights[name] + nudge}
            if moved[name] * sign >= 0:
                assert loss(moved) > loss(fitted.weights) - 1e-6


def test_a_few_fields_that_all_were_wrong_do_not_decide_for_ever() -> None:
    """Five of two thousand with a mark, none of them right: no more is known than that most of such are wrong."""
    rows = [Observed(n, {"other": float(n % 7)}, n % 20 > 0) for n in range(2000)]
    marked = [Observed(2000 + n, {"other": 3.0, "mark": 1.0}, False) for n in range(5)]
    chance = fit([*rows, *marked]).confidences(marked[:1])[0]
    assert 0.05 < chance < 0.6


def test_sure_mistakes_and_the_area_under_accuracy_against_coverage() -> None:
    sure, right = np.array([0.95, 0.92, 0.5, 0.1]), np.array([1.0, 0.0, 1.0, 0.0])
    assert wrong_among(sure, right, 0.9) == 0.5
    assert wrong_among(sure, right, 0.99) == 0.0
    assert area(sure, right) == pytest.approx((1 + 1 / 2 + 2 / 3 + 2 / 4) / 4)
    assert area(-sure, right) < area(sure, right)
