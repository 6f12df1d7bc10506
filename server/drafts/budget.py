"""How many rows drafts may add to a step, by how many requests share it.

A step costs almost the same for one row as for a few, because it reads the same weights; with many rows each one costs
its products, so a draft must be right more often to pay (docs/lab-notes.md, "Fewer steps").
"""

from __future__ import annotations

from dataclasses import dataclass

ROWS = 64
"""Rows of a step that the decode kernel takes at once (server/cpu_lora/buffers.py)."""
_NEEDED_A_REQUEST, _MOST_NEEDED = 0.08, 0.85


@dataclass(frozen=True)
class Budget:
    """tokens: the most drafted for a request and step."""

    tokens: int

    def most(self, running: int) -> int:
        """Tokens that each of `running` requests may draft."""
        return max(0, min(self.tokens, ROWS // max(running, 1) - 1))

    def trusts(self, share: float, running: int) -> bool:
        """Whether guesses of which `share` come true are worth their rows."""
        return share >= min(_NEEDED_A_REQUEST * running, _MOST_NEEDED)
