"""What the control plane needs of an engine. vLLM's is in vllm/lora_engine.py; tests have a small one of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """A greedy answer: its text, and the log-probabilities at its first position by token id."""

    text: str
    first: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Slots:
    """`names`: in slots now. Of the adapters of each step's batch `hits` were in a slot, `misses` were copied there."""

    names: frozenset[str] = frozenset()
    hits: int = 0
    misses: int = 0


class LoraEngine(Protocol):
    """Loads and unloads adapters by a name that is unique for their content."""

    async def load(self, name: str, folder: Path) -> None:
        """Make `name` answerable. Raises Refused: `engine` when its checks do not pass, `engine-busy` for all else."""

    async def unload(self, name: str) -> None:
        """Forget `name`. Nobody may be asking it."""

    async def pin(self, name: str) -> None:
        """Let `name` keep its slot from now on, if it is loaded."""

    async def unpin(self, name: str) -> None:
        """Its slot may go to another again."""

    async def slots(self) -> Slots:
        """What is in slots now."""

    async def ask(self, name: str | None, prompt: str, max_tokens: int) -> Answer:
        """A greedy answer of an adapter that is loaded, or of the base. Raises Refused."""
