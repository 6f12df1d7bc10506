"""What a request cost: counted by the engine's client as tokens pass, read when the request is settled."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Tally:
    """One prompt's generation. `done`: it came to its own end; else it was broken off, or failed.

    `pace`: seconds between two tokens, where there were two.
    """

    prompt: int = 0
    cached: int = 0
    generated: int = 0
    done: bool = False
    pace: float | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens of a request; `broken_off`: those in and out of what did not come to its end."""

    prompt: int = 0
    generated: int = 0
    cached: int = 0
    broken_off: int = 0

    @property
    def total(self) -> int:
        """In and out."""
        return self.prompt + self.generated


@dataclass
class Account:
    """Of one request. `once`: its prompt counts once although it is sent again and again (beam search).

    `client_fault`: the engine refused what the caller sent. `failed`: the engine failed by itself.
    """

    once: bool = False
    client_fault: bool = False
    failed: bool = False
    _tallies: list[Tally] = field(default_factory=list)
    _open: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._idle.set()

    def begin(self, prompt: int) -> Tally:
        """A generation of a prompt of so many tokens starts in the engine."""
        tally = Tally(0 if self.once and self._tallies else prompt)
        self._tallies.append(tally)
        self._open += 1
        self._idle.clear()
        return tally

    def end(self) -> None:
        """A generation has left the engine, whatever became of it."""
        self._open -= 1
        if not self._open:
            self._idle.set()

    @property
    def idle(self) -> bool:
        """Whether nothing of this request is in the engine."""
        return self._open == 0

    async def ended(self, seconds: float) -> None:
        """Return once nothing of this request is in the engine, after `seconds` at the latest."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return

    @property
    def pace(self) -> float | None:
        """Seconds a token of the slowest answer."""
        return max((tally.pace for tally in self._tallies if tally.pace is not None), default=None)

    def usage(self) -> Usage:
        """As far as it is known now."""
        tallies = self._tallies
        return Usage(
            prompt=sum(tally.prompt for tally in tallies),
            generated=sum(tally.generated for tally in tallies),
            cached=sum(tally.cached for tally in tallies),
            broken_off=sum(tally.prompt + tally.generated for tally in tallies if not tally.done),
        )


# The account of the request that this task answers; the engine's client finds it here, vLLM's handlers pass none.
current: ContextVar[Account | None] = ContextVar("account", default=None)
