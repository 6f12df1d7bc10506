"""Blocks of commands in the guides are shell: what a person copies is at least read to its end."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.deploy.names import ROOT

PAGES = sorted([*(ROOT / "docs/how-to").glob("*.md"), *(ROOT / "docs/tutorial").glob("*.md")])
# A fence of a language of its own (yaml, json, python) is none of these; each match takes both of its fences along.
_BLOCK = re.compile(r"(?ms)^ *```(\w*)\n(.*?)^ *```$")
_PLACE = re.compile(r"<[\w-]+>")  # to be filled in: a redirection for the shell


def _blocks(page: str) -> list[str]:
    return [_PLACE.sub("PLACE", text) for language, text in _BLOCK.findall(page) if language in ("", "sh", "bash")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_shell_reads_every_block(page: Path) -> None:
    for block in _blocks(page.read_text("utf-8")):
        done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block


def test_a_slip_would_be_seen() -> None:
    [block] = _blocks('text\n```yaml\n- (\n```\n\n```\nkubectl apply "x\n```\n')
    assert subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False).returncode
