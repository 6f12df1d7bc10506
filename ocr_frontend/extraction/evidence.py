"""What speaks for and against a field, as numbers: the model's probability, the OCR's scores, form, place, zone.

Nothing here says how sure a field is; `confidence` weighs these numbers by what a validation set taught. Each has a
sign that makes sense (`documents.evidence`), and weights of the other sign are not accepted: a surer model never lowers
a confidence, and a rule that changed the model's answer never raises it.
"""

import math
from collections.abc import Mapping, Sequence

from ocr_frontend.documents.evidence import SIGNS, Evidence
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import READ, Candidate
from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.extraction.rules import RULES, claimed_lines

_MOST, _LEAST = 8.0, -4.0  # log-odds beyond which a probability says nothing more
_NEVER_ABOVE = 1e-4  # an OCR score of 1 is not certainty
_DAMAGE = frozenset({"characters_corrected", "unexpected_form", "several_values"})
_OWN = frozenset({"not_in_text", "spelling_differs", "expired"}) | _DAMAGE  # not contradictions
_FROM_RULES = frozenset(rule.__name__ for rule in RULES)
_BY_CHANCE = 0.3  # of the letters of a missing label that most names share with it


def gather(
    page: LabelledPage,
    fields: Mapping[str, Resolved],
    candidates: Mapping[str, Sequence[Candidate]],
    logprobs: Mapping[str, float],
    reranker: Mapping[str, float],
) -> dict[str, Evidence] | None:
    """By field, zeros left out; None where the model's log-probabilities were not told.

    reranker: log-odds of what it chose."""
    if not logprobs:
        return None
    claimed = claimed_lines(candidates)
    mean = _mean_score(page)
    found = {}
    for spec in page.spec.fields:
        field, several = fields[spec.key], candidates[spec.key]
        odds = log_odds(logprobs.get(spec.key, 0.0))
        numbers = {
            "model": odds if len(several) == 1 else -abs(odds),
            "page": mean,
            "reranker": _bounded(reranker.get(spec.key, 0.0)),
            **(_empty(spec, page, claimed, field) if field.value is None else _value(spec, field, several, page)),
        }
        found[spec.key] = {name: round(numbers[name], 4) for name in SIGNS if numbers.get(name)}
    return found


def log_odds(logprob: float) -> float:
    """Of a probability given as its logarithm, bounded."""
    wrong = -math.expm1(min(0.0, logprob))
    return _bounded(_MOST if wrong <= 0 else logprob - math.log(wrong))


def _bounded(odds: float) -> float:
    return max(_LEAST, min(_MOST, odds))


def _empty(spec: FieldSpec, page: LabelledPage, claimed: frozenset[int], field: Resolved) -> Evidence:
    return {"null": 1.0, "orphan": float(bool(field.codes) or has_orphan(spec, page, claimed))}


def has_orphan(spec: FieldSpec, page: LabelledPage, claimed: frozenset[int], least: float = READ) -> bool:
    """Whether under the field's own label stands a line, read with a better score than `least`, that no field claims
    and that is no label."""
    return any(
        spec.key in page.owners(index) and not page.labels_in(index) and not page.is_label(index)
        for index, line in enumerate(page.lines)
        if index not in claimed and line.confidence > least
    )


def _value(spec: FieldSpec, field: Resolved, several: Sequence[Candidate], page: LabelledPage) -> Evidence:
    lines = [page.lines[index] for index in field.lines]
    scores = [line.confidence for line in lines]
    letters = [line.confidence if line.letter is None else line.letter for line in lines]
    owners = page.owners(field.lines[0]) if field.lines else frozenset[str]()
    free = spec.type.free
    return {
        "text": float(free),
        "ocr": _score_odds(min(scores, default=0.5)),
        "letter": _score_odds(min(letters, default=0.5)),
        "own_label": float(spec.key in owners),
        "other_label": float(bool(owners) and spec.key not in owners),
        "like_label": _like_label(field, page) if free else 0.0,
        "length": math.log(len(str(field.value)) + 1),
        "written": float(isinstance(several[-1].element, str)),
        "not_in_text": float(bool(field.codes & {"not_in_text", "spelling_differs"})),
        "damaged": float(bool(field.codes & _DAMAGE)),
        "contradicted": float(bool(field.codes - _OWN - _FROM_RULES - {"mrz_used"})),
        "mrz": float(field.source == "mrz"),
    }


def _like_label(field: Resolved, page: LabelledPage) -> float:
    """Above what names have by chance."""
    return max((max(0.0, page.likeness_to_missing(index) - _BY_CHANCE) for index in field.lines), default=0.0)


def _score_odds(score: float) -> float:
    return -math.log10(1 + _NEVER_ABOVE - score)


def _mean_score(page: LabelledPage) -> float:
    if not page.lines:
        return 0.0
    return _score_odds(sum(line.confidence for line in page.lines) / len(page.lines))
