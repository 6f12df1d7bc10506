"""Modelled lines of hard cards: each target says its value, also where a damaged label stands between two lines."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.documents import DOCUMENT_NAMES, DOCUMENTS, DocumentName
from adapters.data.hard.lines import hard_text_sample
from adapters.data.simulated_ocr.misreadings import wrecked
from adapters.data.vocabulary import fold
from adapters.training.dataset import Labelled, labelled


def _said(sample: Labelled, number: int) -> str | None:
    target = sample.targets[number]
    if isinstance(target, tuple):
        return " ".join(sample.lines[index] for index in target)
    return sample.lines[target] if isinstance(target, int) else target


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_text_values_are_said_by_their_targets(document: DocumentName) -> None:
    right = shown = apart = 0
    for seed in range(60):
        sample = hard_text_sample(random.Random(seed), document, "valid")
        kept = labelled(sample)
        for number, field in enumerate(DOCUMENTS[document]):
            truth = sample.record.values[field.key]
            assert (kept.targets[number] is None) <= (truth is None), field.key
            if truth is not None and field.type == "text":
                shown += 1
                right += fold(_said(kept, number) or "") == fold(truth)
            target = kept.targets[number]
            apart += isinstance(target, tuple) and target[1] - target[0] != 1
    assert right / shown > 0.96  # the rest is misread on purpose
    assert document == "cni-2018-recto" or apart  # lines of one value with another line between them


def test_the_same_seed_gives_the_same_lines() -> None:
    first, second = (hard_text_sample(random.Random("a"), "cni-2018-verso", "train") for _ in range(2))
    assert first == second


@given(st.text(alphabet="ABCDEFÉ /'.0123", min_size=1, max_size=60), st.integers())
def test_a_wrecked_label_is_never_empty_and_never_longer(text: str, seed: int) -> None:
    found = wrecked(random.Random(seed), text)
    assert len(found) <= len(text)
    assert found or not text.strip()
