"""The recorded cards that come with the recipes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

_CARDS = Path("adapters/recipes/recorded.jsonl.gz")


def recorded_cards() -> list[dict[str, Any]]:
    """Real OCR lines of drawn cards, with the lines that are right: `document`, `lines`, `targets`."""
    return [json.loads(line) for line in gzip.decompress(_CARDS.read_bytes()).decode().splitlines()]
