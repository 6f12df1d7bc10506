"""How a result is written down, and what is said of the run that made it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any


def record(name: str, folder: Path, result: dict[str, Any]) -> Path:
    """Write `<name>.json` into `folder` and print it as one line; the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result), flush=True)
    return path


def stamp() -> dict[str, Any]:
    """Of what, when and beside how much else a run was made: commit, UTC date, the last minute's load average."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "commit": done.stdout.strip() or "unknown",
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "load_average": round(os.getloadavg()[0], 1),
    }
