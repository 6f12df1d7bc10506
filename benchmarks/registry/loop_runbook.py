"""The commands of docs/how-to/another-revision.md, run as they are written there.

Only the page's examples of names are put in: its adapter, revisions, addresses and shares; headers are left out where
services have no keys, as the page says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/another-revision.md"
_BLOCK = re.compile(r"^ *```\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_BACK = re.compile(r"\*\*Back at any time\*\*: `([^`]+)`")
_HEADER = re.compile(r'-H "Authorization: Bearer \$\w+" ')
WORSE = 3  # what `evaluate-examples --floor` ends with


def steps(page: str) -> list[list[str]]:
    """The commands of each block, continued lines joined; the last step is the page's way back."""
    blocks = [block.replace("\\\n", " ") for block in _BLOCK.findall(page)]
    found = [[" ".join(line.split()) for line in block.splitlines() if line.strip()] for block in blocks]
    return [*found, _BACK.findall(page)]


def filled(command: str, names: dict[str, str], share: int) -> str:
    """`names`: what stands for OLD, NEW, the adapter and the two addresses; `share`: percent of the new revision."""
    command = _HEADER.sub("", command)
    for word, value in names.items():
        command = re.sub(rf"(?<![\w.]){re.escape(word)}(?!\w)", value, command)
    for before, after in ((90, 100 - share), (10, share)):
        command = re.sub(rf"(?<=[=\s]){before}(?=[\s,}}]|$)", str(after), command)
    return command


@dataclass
class Runbook:
    """Runs steps in `folder`, which holds the adapter's recipe and the registry `adapters`.

    `ran`: every command of the page that was run, as it stands there.
    """

    folder: Path
    adapter: str
    front: str
    server: str
    share: int = 10
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._steps = steps(PAGE.read_text(encoding="utf-8"))

    def run(self, step: int, number: int, old: str = "", new: str = "", may: Sequence[int] = (0,)) -> int:
        """Command `number` of `step` (from 1, as on the page); its exit code.

        Raises RuntimeError with its last line where the code is none of `may`.
        """
        written = self._steps[step - 1][number - 1]
        if written not in self.ran:
            self.ran.append(written)
        names = {
            "bill": self.adapter, "OLD": old, "NEW": new,
            "http://127.0.0.1:8080": self.front, "http://127.0.0.1:8000": self.server,
        }  # fmt: skip
        return self.other(filled(written, names, self.share), may)

    def other(self, command: str, may: Sequence[int] = (0,)) -> int:
        """A command that is not the page's. Output stays here: what is read may hold people's values."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {
            **os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "ADAPTERS_TRACKERS": "none",
            "SERVER_ADAPTERS_DIR": str(self.folder / "adapters"),
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in may:
            last = (done.stderr.strip().splitlines() or ["it failed without a word"])[-1]
            raise RuntimeError(f"{command} ended with {done.returncode}: {last}")
        return done.returncode
