"""What speaks for and against a field, as numbers: the model's probability, the OCR's scores, form, place, zone.

Nothing here says how sure a field is; `confidence` weighs these numbers by what a validation set taught.
"""

import math
from collections.abc import Mapping, Sequence

from ocr_frontend.documents.own_labels import OWN_LABELS
from ocr_frontend.documents.registry import Document, FieldSpec, Kind
from ocr_frontend.extraction.neighbours import Neighbours
from ocr_frontend.extraction.resolve import NOT_IN_TEXT, NOT_OF_FORM, REPAIRED, Resolved
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine

VERSION = 1  # of the names and meanings below: weights of another version say nothing
NAMES = (
    "model", "model_unknown", "null", "null_model", "ocr", "text", "length", "written", "joined", "changed", "shared",
    "repaired", "formless", "not_in_text", "contradicted", "zone", "own_label", "other_label", "label_inside", "orphan",
    "odd", "text_ocr",
)  # fmt: skip
_MOST, _LEAST = 8.0, -4.0  # log-odds beyond which a probability says nothing more
_NEVER_ABOVE = 1e-4  # an OCR score of 1 is not certainty
_CHECKED = frozenset({NOT_IN_TEXT, NOT_OF_FORM, REPAIRED})  # warnings that have a number of their own
Evidence = dict[str, float]


def gather(
    document: Document,
    fields: Mapping[str, Resolved],
    given: Mapping[str, Element],
    used: Mapping[str, Element],
    logprobs: Mapping[str, float],
    lines: Sequence[TextLine],
) -> dict[str, Evidence]:
    """By field, zeros left out. `given`: the model's elements; `used`: after our own steps; `lines`: the prompt's."""
    around = Neighbours(lines)
    claims = {name: _indexes(element) for name, element in used.items()}
    everything = frozenset(index for indexes in claims.values() for index in indexes)
    evidence = {}
    for spec in document.fields:
        name = spec.name
        others = {i for other, indexes in claims.items() if other != name for i in indexes}
        found = {
            **_model(logprobs.get(name)),
            **_reading(spec, fields[name], used.get(name), lines),
            **_place(name, fields[name], around, everything),
            "changed": float(given.get(name) != used.get(name)),
            "shared": float(spec.kind is Kind.TEXT and bool(others & set(claims.get(name, ())))),
        }
        found["null_model"] = found["null"] * found["model"]
        evidence[name] = {key: round(found[key], 4) for key in NAMES if found.get(key)}
    return evidence


def _indexes(element: Element) -> tuple[int, ...]:
    if isinstance(element, tuple):
        return element
    return (element,) if isinstance(element, int) else ()


def _model(logprob: float | None) -> Evidence:
    """The log-odds of the element, bounded."""
    if logprob is None:
        return {"model": 0.0, "model_unknown": 1.0}
    wrong = -math.expm1(min(0.0, logprob))
    odds = _MOST if wrong <= 0 else logprob - math.log(wrong)
    return {"model": max(_LEAST, min(_MOST, odds))}


def _reading(spec: FieldSpec, field: Resolved, element: Element, lines: Sequence[TextLine]) -> Evidence:
    """What the OCR and the form say of the value."""
    if field.value is None:
        return {"null": 1.0}
    text = str(field.value)
    scores = [lines[i].confidence for i in _indexes(element) if 0 <= i < len(lines)]
    if not scores and field.line is not None and field.line < len(lines):
        scores = [lines[field.line].confidence]
    doubt = -math.log10(1 + _NEVER_ABOVE - min(scores, default=0.5))
    is_text = float(spec.kind is Kind.TEXT)
    return {
        "null": 0.0,
        "ocr": doubt,
        "text": is_text,
        "text_ocr": is_text * doubt,
        "length": math.log(len(text) + 1),
        "written": float(isinstance(element, str)),
        "joined": float(isinstance(element, tuple)),
        "repaired": float(REPAIRED in field.warnings),
        "formless": float(NOT_OF_FORM in field.warnings),
        "not_in_text": float(NOT_IN_TEXT in field.warnings),
        "contradicted": float(any(warning not in _CHECKED for warning in field.warnings)),
        "zone": float(field.source == "mrz"),
        "odd": float(bool(is_text) and any(not (c.isalpha() or c in " -'.,/()") for c in text)),
    }


def _place(name: str, field: Resolved, around: Neighbours, claimed: frozenset[int]) -> Evidence:
    """Whether the value stands where the card prints it."""
    own = OWN_LABELS.get(name, frozenset())
    if field.value is None:
        return {"orphan": float(around.below(name, claimed))}
    if field.line is None:
        return {}
    inside, above = around.labels_of(field.line), around.above(field.line)
    return {
        "own_label": float(bool((inside | above) & own)),
        "other_label": float(bool(above) and not above & own and not inside & own),
        "label_inside": float(bool(inside)),
    }
