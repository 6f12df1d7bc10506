"""docs/how-to/new-document.md is walked on 30 receipts: each command that needs no running service, as it is written.

The long training alone is left out: the two steps of the try are the same command.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.receipts import write_folder

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {
    "python -m adapters train bill/recipe.yaml": "an hour",
    "python -m adapters registry switch bill REVISION": "run below on the tried registry",
    "OCR_FRONT_DOCUMENTS=bill/documents make up": "services",
    "python -m adapters train adapters/recipes/receipt.yaml --data ../shared": "data that is not part of the project",
}


def commands(page: str) -> list[str]:
    """The lines of its fenced blocks."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [
        line for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE) for line in block.splitlines()
    ]


def run(command: str, where: Path) -> subprocess.CompletedProcess[str]:
    words = command.split()
    assert words[0] == "python"
    # One thread: other tests have the other core, and threads that wait for each other would take it from them.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ADAPTERS_TRACKERS": "none", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words[1:]], cwd=where, env=environment, capture_output=True, text=True, check=False
    )


def test_both_languages_say_the_same_commands() -> None:
    assert commands("how-to/new-document.md") == commands("how-to/new-document.fr.md")


@pytest.mark.slow
def test_the_walk(tmp_path: Path) -> None:
    write_folder(tmp_path / "scans", 30)
    said = ""
    walked = 0
    for command in commands("how-to/new-document.md"):
        if command in LEFT_OUT:
            continue
        [revision] = [path.name for path in tmp_path.glob("runs/trial-adapters/bill/*")] or ["REVISION"]
        done = run(command.replace("REVISION", revision), tmp_path)
        assert done.returncode == 0, done.stderr
        said += done.stdout
        walked += 1
    assert walked == 3
    assert "100.0% of the wanted values" in said
    [folder] = tmp_path.glob("runs/trial-adapters/bill/*")
    contract = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["prompt"]["documents"]["bill"]
    assert contract["fields"] == [field["key"] for field in contract["spec"]["fields"]]
    scores = json.loads((folder / "examples-given-lines.json").read_text(encoding="utf-8"))
    assert (scores["examples"], scores["rows"][-1]["ceiling"]) == (3, 1.0)
    switched = run(f"python -m adapters registry --registry runs/trial-adapters switch bill {folder.name}", tmp_path)
    assert switched.returncode == 0, switched.stderr
