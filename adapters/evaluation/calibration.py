"""Confidence made honest: a logistic regression over the front's evidence, and how far its numbers can be trusted.

Expected calibration error: Guo et al. 2017, arXiv 1706.04599, equally wide bins. Accuracy against coverage: El-Yaniv
and Wiener 2010; the surest share of the fields is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_frontend.documents.evidence import SIGNS

Floats = NDArray[np.float64]
BINS = 10
FOLDS = 5
_PRIOR = 1.0  # of every weight, in standard deviations of its number
_UNIT = 3.0  # log-odds that one of a number may well be worth: keeps evidence that a few fields have from shouting
_STEPS = 50


@dataclass(frozen=True)
class Observed:
    """One answered field: which card it is of, its evidence by name, and whether its value is exactly right."""

    card: int
    evidence: Mapping[str, float]
    right: bool


@dataclass(frozen=True)
class Fitted:
    """Log-odds of being right are `intercept` + the sum of weight times evidence."""

    intercept: float
    weights: dict[str, float]

    def confidences(self, rows: Sequence[Observed]) -> Floats:
        """One probability a row."""
        odds = [self.intercept + sum(self.weights.get(k, 0.0) * v for k, v in row.evidence.items()) for row in rows]
        return 1 / (1 + np.exp(-np.clip(np.array(odds, dtype=np.float64), -30, 30)))


def fit(rows: Sequence[Observed], signs: Mapping[str, int] = SIGNS) -> Fitted:
    """Ridge-penalised maximum likelihood; evidence that never varies gets no weight.

    signs: +1 or -1 where a weight may have that sign alone. Newton's method on the weights that are free; one that
    would change its sign stays at 0 until the slope pulls it back (Bertsekas 1982, "Projected Newton methods").
    """
    names = sorted({name for row in rows for name in row.evidence})
    given = np.array([[row.evidence.get(name, 0.0) for name in names] for row in rows], dtype=np.float64)
    given = given.reshape(len(rows), len(names))
    mean, spread = given.mean(axis=0), given.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    inputs = np.hstack([np.ones((len(rows), 1)), (given - mean) / scale])
    right = np.array([row.right for row in rows], dtype=np.float64)
    penalty = np.array([1e-3, *(_PRIOR + (_UNIT * scale) ** -2)])
    sign = np.array([0, *(signs.get(name, 0) for name in names)])
    weights = _projected_newton(inputs, right, penalty, sign)
    raw = weights[1:] / scale
    found = {name: float(weight) for name, weight, s in zip(names, raw, spread, strict=True) if s > 0}
    return Fitted(float(weights[0] - (raw * mean * (spread > 0)).sum()), found)


def _projected_newton(inputs: Floats, right: Floats, penalty: Floats, sign: NDArray[np.int_]) -> Floats:
    weights = np.zeros(inputs.shape[1])
    best = _loss(inputs, right, penalty, weights)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (right - chance) - penalty * weights
        held = (sign != 0) & (weights == 0) & (slope * sign <= 0)
        free = ~held
        if float(np.abs(slope[free]).max(initial=0.0)) < 1e-6:
            break
        curve = (inputs[:, free] * (chance * (1 - chance))[:, None]).T @ inputs[:, free] + np.diag(penalty[free])
        step = np.zeros_like(weights)
        step[free] = np.linalg.solve(curve, slope[free])
        for length in 0.5 ** np.arange(20):
            moved = weights + length * step
            moved = np.where((sign != 0) & (moved * sign < 0), 0.0, moved)
            loss = _loss(inputs, right, penalty, moved)
            if loss < best - 1e-12:
                break
        else:
            break
        weights, best = moved, loss
    return weights


def _loss(inputs: Floats, right: Floats, penalty: Floats, weights: Floats) -> float:
    odds = inputs @ weights
    return float((np.logaddexp(0, odds) - right * odds).sum() + 0.5 * (penalty * weights**2).sum())


def crossed(rows: Sequence[Observed]) -> Floats:
    """Each row's confidence by weights that never saw its card."""
    confidences = np.zeros(len(rows))
    for fold in range(FOLDS):
        mine = [place for place, row in enumerate(rows) if row.card % FOLDS == fold]
        others = [row for row in rows if row.card % FOLDS != fold]
        if mine and others:
            confidences[mine] = fit(others).confidences([rows[place] for place in mine])
    return confidences


def bins(confidences: Floats, right: Floats) -> list[dict[str, float]]:
    """Of each bin that holds any: how many fields, their mean confidence, and the share of them that is right."""
    places = np.minimum((confidences * BINS).astype(int), BINS - 1)
    return [
        {"fields": int(here.sum()), "confidence": float(confidences[here].mean()), "right": float(right[here].mean())}
        for place in range(BINS)
        if (here := places == place).any()
    ]


def calibration_error(confidences: Floats, right: Floats) -> float:
    """Mean distance between confidence and share right, over the bins, by the fields in them."""
    return sum(b["fields"] * abs(b["confidence"] - b["right"]) for b in bins(confidences, right)) / max(1, len(right))


def kept_right(confidences: Floats, right: Floats, coverage: float) -> float:
    """The share right of the surest `coverage` of all fields."""
    kept = max(1, round(coverage * len(right)))
    return float(right[np.argsort(-confidences, kind="stable")[:kept]].mean())


def wrong_among(confidences: Floats, right: Floats, least: float) -> float:
    """The share wrong of the fields whose confidence is `least` or more; 0 where there are none."""
    sure = confidences >= least
    return float(1 - right[sure].mean()) if sure.any() else 0.0


def area(confidences: Floats, right: Floats) -> float:
    """The area under accuracy against coverage, in [0, 1]: the mean share right of the surest 1, 2, … of all fields."""
    ordered = right[np.argsort(-confidences, kind="stable")]
    return float((np.cumsum(ordered) / np.arange(1, len(ordered) + 1)).mean())
