"""A run whose process is killed at random steps, again and again, ends with the weights of an unbroken run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tiny_models import write_base

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
STEPS = 24
RECIPE = """
name: tiny
base: {base}
method: {method}
lora: {{r: 4, alpha: 8}}
data: {{documents: [cni-2025-recto], text: 48, validation: 4}}
optimization: {{batch: 2, learning_rate: 0.005}}
early_stopping: {{patience: 50}}
evaluate_every: 3
checkpoint_every: 2
"""
QUICK = {"ADAPTERS_TRACKERS": "none"}


def _arguments(folder: Path, recipe: Path) -> list[str]:
    places = {"--runs": folder / "runs", "--registry": folder / "out", "--threads": 1}
    return ["train", str(recipe), *(str(word) for pair in places.items() for word in pair)]


def _published(folder: Path) -> dict[str, str]:
    """The revision's weights by their hash, with its best step and its losses."""
    (manifest,) = (folder / "out" / "tiny").glob("*/manifest.json")
    content = json.loads(manifest.read_text())
    assert content["measured"]["steps"] == STEPS
    left = sorted(path.name for path in (folder / "runs/tiny").iterdir())
    assert left == [".lock", "checkpoint", "recipe.json", "training.json", "training.png"]
    return {
        "weights": content["sha256"],
        "best": str(content["measured"]["best_step"]),
        "losses": str(json.loads(manifest.with_name("training.json").read_text())["losses"]),
    }


@pytest.mark.parametrize(("method", "kills"), [("lora", 10), ("qlora", 4)])
def test_kills_change_nothing(method: str, kills: int, tmp_path: Path) -> None:
    base = write_base(tmp_path / "tiny-base")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(base=base, method=method))
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    runs = [(kills, _arguments(broken, recipe)), (0, _arguments(unbroken, recipe))]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kill_driver.py")), "7", str(STEPS), json.dumps(runs)],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(Path.cwd()), **QUICK},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    killed, none = json.loads(done.stdout.splitlines()[-1])
    assert (len(killed), none) == (kills, [])
    assert {while_saving for _, while_saving in killed} == {False, True}
    assert _published(broken) == _published(unbroken)
