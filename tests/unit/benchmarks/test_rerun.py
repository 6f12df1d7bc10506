"""`make results` names commands that exist, and `make eval` draws the cards that the quoted table was made with."""

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adapters.evaluation import command
from benchmarks.rerun import STEPS, Step

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_step_is_a_module_that_the_readme_or_makefile_knows(step: Step) -> None:
    module = step.command.split()[1]
    assert importlib.util.find_spec(module) is not None
    known = "".join(
        (ROOT / name).read_text() for name in ("benchmarks/README.md", "Makefile", "docs/reference/results.md")
    )
    assert module in known


def test_the_quoted_evaluation_is_what_make_eval_asks_for() -> None:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    count = parser.parse_args(["evaluate"]).count
    [path] = (ROOT / "adapters/cni").glob("*/evaluation.json")
    rows = [row for row in json.loads(path.read_text())["rows"] if row["document"] != "all"]
    assert {row["cards"] for row in rows} == {count}


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
