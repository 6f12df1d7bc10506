"""A notebook without Jupyter: its code cells, and the same run one after the other as a program."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def code_cells(path: Path) -> list[dict[str, Any]]:
    """As the file holds them."""
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def source(path: Path) -> str:
    """Of all code cells, in order."""
    return "\n\n".join("".join(cell["source"]) for cell in code_cells(path))


def run_notebook(path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, in the notebook's folder as Jupyter does."""
    command = [sys.executable, "-c", source(path)]
    settings = {**os.environ, **environment}
    return subprocess.run(command, cwd=path.parent, env=settings, capture_output=True, text=True, check=False)
