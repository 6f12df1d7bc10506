"""The frame alternates fairly and publishes what it measured; a candidate wins by the rule."""

import argparse
import json
from pathlib import Path

import pytest

from adapters.provenance import stamp
from benchmarks.harness.frame import Case, Panel, alternate, publish
from benchmarks.harness.services import Prompts
from benchmarks.tune.candidates import candidates, joined
from benchmarks.tune.launch import _wins


def test_rounds_alternate_in_both_orders_and_the_warm_up_does_not_count() -> None:
    order: list[str] = []

    def case(name: str) -> Case[int]:
        return Case((name,), lambda: order.append(name) or len(order))  # type: ignore[func-returns-value]

    samples = alternate([case("a"), case("b")], rounds=2)
    assert order in (["b", "a", "a", "b", "b", "a"], ["a", "b", "b", "a", "a", "b"])
    assert {len(values) for values in samples.values()} == {2}


def test_a_result_names_the_machine_and_has_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = argparse.Namespace(rounds=2, seed=0, threads=1, stamp=stamp(), out=tmp_path / "new")
    publish("tiny", args, {"rows": []}, [Panel("t", "ms", ("x", "y"), {"a": [1.0, None], "b": [2.0, 3.0]})])
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed == json.loads((args.out / "tiny.json").read_text())
    assert printed["benchmark"] == "tiny" and printed["machine"]["cores"]
    assert printed["commit"] and printed["date"] and printed["load_average"] >= 0 and printed["versions"]["torch"]
    assert (args.out / "tiny.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("ratios", "wins"),
    [((1.1, 1.0), True), ((1.0, 1.0), False), ((1.03, 1.03), False), ((1.3, 0.97), False), ((1.05, 1.05), True)],
)
def test_a_candidate_must_be_faster_and_nowhere_slower(ratios: tuple[float, float], wins: bool) -> None:
    assert _wins(dict(zip(("one", "crowd"), ratios, strict=True))) is wins


def test_changes_add_up_and_the_later_one_holds() -> None:
    both = joined({"options": {"--block-size": "64"}, "preload": []}, {"options": {"--block-size": "128", "-x": ""}})
    assert both == {"options": {"--block-size": "128", "-x": ""}, "environment": {}, "preload": []}


def test_candidates_can_be_chosen_by_name() -> None:
    assert [each.name for each in candidates(["block of 64"])] == ["KV block of 64"]
    assert len({each.name for each in candidates([])}) == len(candidates([])) > 10


def test_prompts_share_their_beginning_and_nothing_else() -> None:
    prompts = Prompts(100, seed=0)
    first, second = prompts.take(2)
    (third,) = prompts.take(1)
    assert first[:64] == second[:64] == third[:64] and len({tuple(p) for p in (first, second, third)}) == 3
    assert len(first) == 100


def test_no_prompt_of_a_run_begins_as_another_one() -> None:
    prompts = Prompts(350, seed=1, fixed=0).take(2000)
    assert len({tuple(prompt[:3]) for prompt in prompts}) == 2000  # less than a block of any prefix cache
