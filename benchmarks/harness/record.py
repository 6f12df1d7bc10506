"""How a result is written down."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_NUMBER = r"-?\d[\d.eE+-]*"
_NUMBERS = re.compile(rf"\[\n *({_NUMBER}(?:,\n *{_NUMBER})*)\n *\]")


def record(name: str, folder: Path, result: dict[str, Any]) -> Path:
    """Write `<name>.json` into `folder` and print it as one line; the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(shown(result) + "\n", encoding="utf-8")
    print(json.dumps(result), flush=True)
    return path


def shown(result: dict[str, Any]) -> str:
    """JSON for people: a list of numbers, such as a row's samples, is one line."""
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", json.dumps(result, indent=1))
