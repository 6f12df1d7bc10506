"""`make results` names commands that exist, and `make eval` draws the cards that the quoted table was made with."""

import argparse
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.evaluation import command
from benchmarks.rerun import STEPS, Step
from benchmarks.rivals import rules_baseline

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_step_is_a_module_that_the_readme_or_makefile_knows(step: Step) -> None:
    module = step.command.split()[1]
    assert importlib.util.find_spec(module) is not None
    known = "".join(
        (ROOT / name).read_text() for name in ("benchmarks/README.md", "Makefile", "docs/reference/results.md")
    )
    assert module in known


# Parts of benchmarks, and what Makefile runs to publish them.
NO_BENCHMARK = {"rerun", "front.stand_in", "rivals.environments", "quantization.report"}
NO_ROOM = ("publish.", "rivals.workers.")
README = (ROOT / "benchmarks/README.md").read_text()


def test_the_readme_has_a_command_for_every_benchmark() -> None:
    programs = {
        ".".join(path.relative_to(ROOT / "benchmarks").with_suffix("").parts)
        for path in (ROOT / "benchmarks").rglob("*.py")
        if 'if __name__ == "__main__"' in path.read_text()
    }
    told = set(re.findall(r"^\|.*?`python -m benchmarks\.([\w.]+)", README, re.MULTILINE))
    assert {name for name in programs if not name.startswith(NO_ROOM)} - NO_BENCHMARK == told


def test_the_readme_says_what_make_results_leaves_out() -> None:
    told = set(re.findall(r"^\|.*?`python -m benchmarks\.([\w.]+)", README, re.MULTILINE))
    measured = {step.command.split()[1].removeprefix("benchmarks.") for step in STEPS}
    row = next(line for line in README.splitlines() if line.startswith("| `make results`"))
    but, only_with = row.partition("everything below but")[2].split(";", 1)
    assert set(re.findall(r"`([\w.]+)`", but)) == told - measured
    with_data = {step.command.split()[1].removeprefix("benchmarks.") for step in STEPS if step.data}
    assert all(f"`{name}`" in only_with for name in with_data)


def _evaluate() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser


def test_the_quoted_evaluation_is_what_make_eval_asks_for() -> None:
    count = _evaluate().parse_args(["evaluate"]).count
    [path] = (ROOT / "adapters/cni").glob("*/evaluation.json")
    rows = [row for row in json.loads(path.read_text())["rows"] if row["document"] != "all" and row["model"] == "cni"]
    assert {row["cards"] for row in rows} == {count}


@pytest.mark.parametrize(("name", "parser"), [("base-alone", _evaluate), ("rules", rules_baseline._parser)])
def test_what_stands_beside_the_adapter_is_kept_in_its_folder(
    name: str, parser: Callable[[], argparse.ArgumentParser]
) -> None:
    """And the base alone, which takes many times as long a card, is asked fewer."""
    words = next(step.command for step in STEPS if step.name == name).split()
    args = parser().parse_args(words[2:])
    [shipped] = (ROOT / "adapters/cni").glob("*/manifest.json")
    assert ROOT / args.out == shipped.parent
    assert args.count == _evaluate().parse_args(["evaluate"]).count, "of the same cards"
    if name == "base-alone":
        assert args.model == ["base"] and args.base_count < args.count


_INTERRUPTED = """
import signal, sys, benchmarks.rerun as rerun
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in what a shell runs in the background
rerun.STEPS = (rerun.Step("card", "-m sleeper", 1),)
sys.argv = ["rerun"]
rerun.main()
"""
_SLEEPER = """
import pathlib, time
pathlib.Path("began").touch()
try:
    time.sleep(60)
finally:
    pathlib.Path("ended").touch()
"""


def test_what_it_runs_ends_in_order_when_it_is_terminated(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(_SLEEPER)
    paths = os.pathsep.join((str(ROOT), str(tmp_path)))
    process = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED], cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths}
    )
    while not (tmp_path / "began").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    assert (tmp_path / "ended").exists()
