"""Harder samples still say, for every field, exactly what the easy one said, or null."""

import random

import pytest

from adapters.data.documents import DOCUMENT_NAMES, DOCUMENTS, DocumentName
from adapters.data.samples import text_sample
from adapters.training.augment import harder
from adapters.training.dataset import Labelled, labelled
from adapters.training.recipe_data import Hardness
from adapters.training.targets import Target

CARD = Labelled("cni-2025-recto", ("123456789", "NOM", "A B", "C", "01.01.1990 F", "01.01.2030"), (0, 2, None, 4, 4, 5))


def _says(sample: Labelled, target: Target) -> str | None:
    if isinstance(target, int):
        return sample.lines[target]
    return " ".join(sample.lines[index] for index in target) if isinstance(target, tuple) else target


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_no_value_changes_but_to_null_or_glued_to_its_label(document: DocumentName) -> None:
    changed = 0
    for seed in range(80):
        easy = labelled(text_sample(random.Random(seed), document, "train"))
        hard = harder(easy, Hardness(hide=0.2, split=0.2, glue=0.2), random.Random(seed))
        changed += easy != hard
        for field, before, after in zip(DOCUMENTS[document], easy.targets, hard.targets, strict=True):
            old, new = _says(easy, before), _says(hard, after)
            if new is not None:
                assert old is not None
                assert new == old or (field.type != "text" and new.endswith(old))
    assert changed > 60


def test_a_hidden_value_takes_its_lines_with_it_and_the_others_are_numbered_anew() -> None:
    hard = harder(CARD, Hardness(hide=0.9), random.Random(3))
    assert hard.targets[1] is None
    assert "A B" not in hard.lines
    assert "01.01.1990 F" in hard.lines  # holds two values, so it stays


def test_a_split_value_is_named_by_its_two_lines() -> None:
    hard = harder(CARD, Hardness(split=0.9), random.Random(0))
    assert hard.lines[2:4] == ("A", "B")
    assert hard.targets[:2] == (0, (2, 3))


def test_a_text_value_glued_to_its_label_is_written_out_and_a_typed_one_is_not() -> None:
    hard = harder(CARD, Hardness(glue=0.9), random.Random(0))
    assert "NOM A B" in hard.lines
    assert hard.targets[1] == "A B"
    assert hard.lines[hard.targets[0]] == "123456789"  # type: ignore[index]  # the first line has no label above


def test_nothing_is_harder_by_default() -> None:
    assert harder(CARD, Hardness(), random.Random(0)) == CARD


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_labels_read_as_on_a_bad_photo_leave_every_value_and_its_place(document: DocumentName) -> None:
    changed = 0
    for seed in range(40):
        easy = labelled(text_sample(random.Random(seed), document, "train"))
        hard = harder(easy, Hardness(wreck=1), random.Random(seed))
        assert len(hard.lines) == len(easy.lines)
        assert hard.targets == easy.targets
        for target in hard.targets:
            if target is not None and not isinstance(target, str):
                assert _says(hard, target) == _says(easy, target)
            elif target is not None:
                assert any(target in line for line in hard.lines) == any(target in line for line in easy.lines)
        changed += hard.lines != easy.lines
    assert changed == 40
