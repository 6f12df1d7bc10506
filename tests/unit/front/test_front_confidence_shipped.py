"""Confidences as they are served: shipped weights and trees, from the model's probability to the number told."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr_frontend.documents.classify import Detection
from ocr_frontend.extraction.assemble import Field, assemble
from ocr_frontend.extraction.confidence import SHIPPED, load_calibration
from ocr_frontend.extraction.llm_step import Answer
from ocr_frontend.extraction.reranker.trees import load_trees
from ocr_frontend.llm.answers import Element
from ocr_frontend.llm.client import Completion, Usage
from ocr_frontend.llm.prompt import Prompt
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO, RECTO_ANSWER, line, spec

TREES = load_trees()
(MODEL,) = json.loads(Path(SHIPPED).read_text("utf-8"))["models"]
WEIGHTS = load_calibration(SHIPPED).of(MODEL)
CARD = spec("cni-2018-recto")
NO_LABELS = [text for n, text in enumerate(RECTO) if n % 2]
BROKEN = ["NOM/SURNAME", "MBARGA EPSE", "NGO BIYONG", *RECTO[2:]]


def fields(texts: Sequence[str], elements: Mapping[str, Element], logprobs: Mapping[str, float]) -> dict[str, Field]:
    lines: tuple[TextLine, ...] = tuple(line(text, row) for row, text in enumerate(texts))
    completion = Completion(text="", model=MODEL, usage=Usage(), tokens=None, complete=True)
    answer = Answer(completion, Prompt("", lines, 0), dict(elements), dict(logprobs))
    return assemble(CARD, answer, lines, Detection(CARD), WEIGHTS, None, TREES).fields


def told(texts: Sequence[str], elements: Mapping[str, Element], key: str, logprob: float) -> Field:
    return fields(texts, elements, {**dict.fromkeys(RECTO_ANSWER, -0.01), key: logprob})[key]


def sure(texts: Sequence[str], elements: Mapping[str, Element], key: str, logprob: float) -> tuple[object, float]:
    found = told(texts, elements, key, logprob)
    assert found.confidence is not None
    return found.resolved.value, found.confidence


PAGES = {
    "labels": (RECTO, RECTO_ANSWER),
    "no labels": (NO_LABELS, {key: n for n, key in enumerate(RECTO_ANSWER)}),
    "a name on two lines": (
        BROKEN, {**{key: n + (n > 1) for key, n in RECTO_ANSWER.items()}, "nom_surname": (1, 2)},
    ),
    "nothing in a field": (RECTO, {**RECTO_ANSWER, "profession": None}),
}  # fmt: skip


@pytest.mark.parametrize("kind", PAGES)
@given(key=st.sampled_from(sorted(RECTO_ANSWER)), one=st.floats(-12, -1e-4), other=st.floats(-12, -1e-4))
@settings(max_examples=40, deadline=None)
def test_a_surer_model_is_never_less_sure_of_what_it_said_nor_surer_of_anything_else(
    kind: str, key: str, one: float, other: float
) -> None:
    texts, elements = PAGES[kind]
    unsure, surer = (told(texts, elements, key, logprob) for logprob in sorted((one, other)))
    assert unsure.confidence is not None and surer.confidence is not None
    if unsure.resolved.value == surer.resolved.value and unsure.resolved.source == surer.resolved.source:
        against = surer.resolved.source.startswith("rule:")  # the surer it was of something else
        assert (surer.confidence <= unsure.confidence) if against else (unsure.confidence <= surer.confidence)


@pytest.mark.parametrize(("said", "value"), [((1, 2, 1), "MBARGA EPSE NGO BIYONG"), ((2, 1), "MBARGA EPSE NGO BIYONG")])
def test_what_a_rule_made_of_the_answer_is_no_surer_than_the_model_saying_it(said: Element, value: str) -> None:
    texts, elements = PAGES["a name on two lines"]
    right = sure(texts, elements, "nom_surname", -0.01)
    changed = sure(texts, {**elements, "nom_surname": said}, "nom_surname", -0.01)
    assert right[0] == changed[0] == value and changed[1] <= right[1]


def test_what_the_model_hardly_believes_is_less_sure_than_what_it_knows() -> None:
    for kind, (texts, elements) in PAGES.items():
        assert sure(texts, elements, "nom_surname", -8.0)[1] < sure(texts, elements, "nom_surname", -0.0001)[1], kind
