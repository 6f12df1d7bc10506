"""Samples become prompts and answers exactly as the contract says."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.documents import DOCUMENT_NAMES, DOCUMENTS
from adapters.data.samples import text_sample
from adapters.errors import DataError
from adapters.training.contract import contract, joined, pieces, render, visible
from adapters.training.dataset import Example, Labelled, batches, encode, labelled, modelled
from adapters.training.recipe_data import Data
from adapters.training.recorded_samples import recorded


class Characters:
    """A tokenizer of one token a character."""

    eos_token_id = 0

    def __call__(self, text: str, *, add_special_tokens: bool, return_offsets_mapping: bool) -> dict[str, list[Any]]:
        spans = [(at, at + 1) for at in range(len(text))]
        return {"input_ids": [ord(character) for character in text], "offset_mapping": spans}


class Pairs:
    """A tokenizer of one token for two characters: fields share tokens."""

    eos_token_id = 0

    def __call__(self, text: str, *, add_special_tokens: bool, return_offsets_mapping: bool) -> dict[str, list[Any]]:
        starts = range(0, len(text), 2)
        return {
            "input_ids": [7] * len(starts),
            "offset_mapping": [(at, min(at + 2, len(text))) for at in starts],
        }


def test_numbers_stand_after_their_lines_and_everything_fixed_before_them() -> None:
    prompts = contract(DOCUMENT_NAMES)
    prompt = render(prompts, "cni-2018-recto", ["NOM/SURNAME", "NGO MBARGA"])
    document = prompts.documents["cni-2018-recto"]
    assert prompt == f"{document.prefix}NOM/SURNAME 0\nNGO MBARGA 1\n{prompts.suffix}"
    assert document.fields == [field.key for field in DOCUMENTS["cni-2018-recto"]]


def test_answers_are_json_without_blanks() -> None:
    text = joined("lines", pieces("lines", "cni-2025-recto", (), [3, (4, 5), None, 'É "x"']))
    assert text == '[3,[4,5],null,"É \\"x\\""]'
    assert json.loads(text) == [3, [4, 5], None, 'É "x"']


@given(st.text())
def test_no_line_can_speak_for_the_chat_format(text: str) -> None:
    shown = visible(f"a <|im_end|> {text} <|im_start|> b")
    assert "<|im_end|>" not in shown
    assert "<|im_start|>" not in shown
    assert "\n" not in shown


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_every_target_points_at_a_kept_line(document: str) -> None:
    for seed in range(60):
        sample = text_sample(random.Random(seed), document, "train")  # type: ignore[arg-type]
        kept = labelled(sample)
        assert all(kept.lines)
        for target, field in zip(kept.targets, DOCUMENTS[kept.document], strict=True):
            old = sample.targets[field.key]
            if isinstance(target, int):
                assert kept.lines[target] == visible(sample.lines[int(old)].text)  # type: ignore[arg-type]
            elif isinstance(target, tuple):
                assert " ".join(kept.lines[index] for index in target) == old
            else:
                assert target == old


def test_the_loss_is_on_the_answer_alone() -> None:
    prompts = contract(DOCUMENT_NAMES)
    sample = Labelled("cni-2025-recto", ("A",), (0, None, None, None, None, None))
    example = encode(sample, prompts, Characters())
    reply = "".join(map(chr, example.tokens[example.answer_start : -1]))
    assert reply == "[0,null,null,null,null,null]"
    assert example.tokens[-1] == Characters.eos_token_id


def test_each_field_has_its_tokens_with_what_ends_it() -> None:
    prompts = contract(DOCUMENT_NAMES)
    sample = Labelled("cni-2025-recto", ("A",), (0, (3, 14), None, "É,", None, 12))
    example = encode(sample, prompts, Characters())
    reply = example.tokens[example.answer_start :]
    said = ["".join(map(chr, reply[first:last])) for first, last in example.fields]
    assert said == ["[0,", "[3,14],", "null,", '"É,",', "null,", "12]\0"]


def test_a_token_of_two_fields_counts_in_both() -> None:
    prompts = contract(DOCUMENT_NAMES)
    sample = Labelled("cni-2025-recto", ("A",), (0, 1, 2, 3, 4, 5))  # [0 ,1 ,2 ,3 ,4 ,5 ]
    example = encode(sample, prompts, Pairs())
    assert example.fields == ((0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 8))


def test_modelled_samples_depend_on_seed_and_index_alone() -> None:
    few = list(modelled(Data(), "train", 8, seed=3))
    many = list(modelled(Data(), "train", 16, seed=3))
    assert many[:8] == few
    assert list(modelled(Data(), "train", 8, seed=4)) != few


@given(st.integers(1, 9), st.integers(1, 60), st.integers(0, 5))
def test_every_example_is_in_exactly_one_batch(size: int, count: int, seed: int) -> None:
    examples = [Example(tuple(range(index % 7 + 2)), 1) for index in range(count)]
    planned = batches(examples, size, seed)
    assert sorted(index for batch in planned for index in batch) == list(range(count))
    assert planned == batches(examples, size, seed)


def test_the_shipped_recording_reads_back(tmp_path: Path) -> None:
    samples = list(recorded(Path("adapters/recipes/recorded.jsonl.gz"), DOCUMENT_NAMES))
    assert len(samples) == 480
    assert {sample.document for sample in samples} == set(DOCUMENT_NAMES)
    for sample in samples:
        named = [index for target in sample.targets for index in (target if isinstance(target, tuple) else (target,))]
        assert all(0 <= index < len(sample.lines) for index in named if isinstance(index, int))


@pytest.mark.parametrize(
    "line", ["{", '{"document": "cni-2018-recto", "lines": [], "targets": [1]}', '{"lines": []}', "3"]
)
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "r.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=r"r\.jsonl\.gz, line 1, is not a recorded sample"):
        list(recorded(path, DOCUMENT_NAMES))
