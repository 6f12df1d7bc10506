"""How a result is written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def record(name: str, folder: Path, result: dict[str, Any]) -> Path:
    """Write `<name>.json` into `folder` and print it as one line; the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result), flush=True)
    return path
