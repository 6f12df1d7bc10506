"""The recorded cards that come with the recipes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

_RECIPES = Path("adapters/recipes")
_FIRST = "recorded.jsonl.gz"


def recorded_cards(*, every: bool = False) -> list[dict[str, Any]]:
    """Real OCR lines of drawn cards, with the lines that are right: `document`, `lines`, `targets`.

    Drawn and photographed cards; with `every` those of the later recordings follow, hard ones among them.
    """
    later = sorted(path for path in _RECIPES.glob("recorded-*.jsonl.gz")) if every else []
    return [card for path in (_RECIPES / _FIRST, *later) for card in _read(path)]


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
