"""A mixed batch's rate is held against the time of the same requests alone, and its answers against theirs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.registry.manifest import PromptContract
from adapters.training.contract import contract
from benchmarks.harness import line_answers
from benchmarks.lora.two_documents import Round, taking_turns
from benchmarks.lora.two_requests import Body, Run, cards, receipts
from tests.support.receipts import write_folder

DOCUMENT = yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8"))


def a_round(mixed: list[str], seconds: float = 2.0) -> Round:
    first, second = Run(1.0, 0, {"card": ["[", "1"]}), Run(3.0, 0, {"receipt": ["[", "2"]})
    halves = (Run(seconds, 0, {"card": ["[", "1"]}), Run(seconds, 0, {"receipt": mixed}))
    return Round(first, second, halves)


def test_the_ratio_is_the_time_alone_over_the_time_mixed() -> None:
    assert a_round(["[", "2"]).ratio == 1.0
    assert a_round(["[", "2"], seconds=2.5).ratio == 0.8


def test_an_answer_that_differs_in_a_token_or_is_shorter_is_counted() -> None:
    assert a_round(["[", "2"]).differing == 0
    assert a_round(["[", "3"]).differing == 1
    assert a_round(["["]).differing == 1


def test_both_kinds_take_turns() -> None:
    one, other = ([Body(f"{kind}{number}", {}) for number in range(2)] for kind in "cr")
    assert [body.name for body in taking_turns(one, other)] == ["c0", "r0", "c1", "r1"]


@pytest.mark.parametrize(
    ("answer", "fits"),
    [
        ([3, [1, 2, 4], "A 1"], True),
        ([None, [0, 1, 2, 3, 4], 4], True),
        ([5, 1, 1], False),
        ([1, [0, 1, 2, 3, 4, 0], 1], False),
        ([[0, 1, 2, 3], 1, 1], False),
    ],
)
def test_an_answer_holds_line_numbers_that_are_there(answer: list[Any], fits: bool) -> None:
    text = json.dumps(answer, separators=(",", ":"))
    assert bool(re.fullmatch(line_answers.form([3, 5, 3], 5), text)) is fits


def test_requests_are_those_of_the_contracts(tmp_path: Path) -> None:
    write_folder(tmp_path / "receipts", 2)
    own = receipts(contract([], own=DOCUMENT), tmp_path)
    assert [body.name for body in own] == ["receipt 000", "receipt 001"] and own[0].content["model"] == "receipt"
    assert "{1,4}" in own[0].content["structured_outputs"]["regex"]
    ours = cards(contract(["cni-2018-recto", "cni-2018-verso", "cni-2025-recto", "cni-2025-verso"]))
    assert len(ours) > 100 and ours[0].content["prompt"].endswith("<|im_start|>assistant\n")
    with pytest.raises(RuntimeError, match="its document"):
        receipts(PromptContract(answer="lines", line="", suffix="", documents={}), tmp_path)
