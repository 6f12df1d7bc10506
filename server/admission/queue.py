"""The queue in front of the engine: bounded, fair between keys, with a time limit.

vLLM's own queue is first come, first served, and without an end: one caller's thousand prompts stand before everybody
else's one. Here so many sequences are in the engine that its next batch is always full, and the rest wait by key.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from server.errors import BadRequest, Unavailable


@dataclass(eq=False)
class _Waiting:
    key: str
    sequences: int
    turn: asyncio.Future[None]


class Queue:
    """In sequences: `capacity` in the engine at a time, `most_waiting` in the queue, `most` in one request, which is
    at most the capacity. `patience`: seconds."""

    def __init__(self, capacity: int, most_waiting: int, most: int, patience: float) -> None:
        self.capacity = capacity
        self._most = most
        self._most_waiting = most_waiting
        self._patience = patience
        self._running: dict[str, int] = {}
        self._line: deque[_Waiting] = deque()

    @property
    def running(self) -> int:
        """Sequences in the engine."""
        return sum(self._running.values())

    @property
    def waiting(self) -> int:
        """Sequences in the queue."""
        return sum(waiting.sequences for waiting in self._line)

    @property
    def busy(self) -> bool:
        """Whether whoever comes now has to wait."""
        return bool(self._line) or self.running >= self.capacity

    async def enter(self, key: str, sequences: int) -> None:
        """Return once they may run; each call needs one `leave`.

        Raises Unavailable when the queue is full or the wait too long, BadRequest for what can never run."""
        if sequences > self._most:
            raise BadRequest(
                f"The request asks for {sequences} answers at once (prompts times n); this server gives at most "
                f"{self._most}: send several requests.",
                code="too_many_sequences",
            )
        if not self._line and self.running + sequences <= self.capacity:
            self._start(key, sequences)
            return
        if self.waiting + sequences > self._most_waiting:
            raise Unavailable("This server is busy: its queue is full.", self._retry_after())
        waiting = _Waiting(key, sequences, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        try:
            async with asyncio.timeout(self._patience):
                await waiting.turn
        except BaseException as error:
            self._give_up(waiting)
            if isinstance(error, TimeoutError):
                text = f"This server is busy: the request waited {self._patience:g} s for its turn."
                raise Unavailable(text, self._retry_after()) from None
            raise

    def leave(self, key: str, sequences: int) -> None:
        """They are done."""
        self._running[key] -= sequences
        if not self._running[key]:
            del self._running[key]
        self._wake()

    def _give_up(self, waiting: _Waiting) -> None:
        if waiting.turn.done() and not waiting.turn.cancelled():
            self.leave(waiting.key, waiting.sequences)
            return
        if waiting in self._line:
            self._line.remove(waiting)
        self._wake()

    def _start(self, key: str, sequences: int) -> None:
        self._running[key] = self._running.get(key, 0) + sequences

    def _wake(self) -> None:
        """Let in the key that has the least in the engine, its oldest first. Who does not fit is not overtaken: a
        large request would wait for ever."""
        self._line = deque(waiting for waiting in self._line if not waiting.turn.done())  # some have gone away
        while self._line:
            chosen = min(self._line, key=lambda waiting: self._running.get(waiting.key, 0))
            if self.running + chosen.sequences > self.capacity:
                return
            self._line.remove(chosen)
            self._start(chosen.key, chosen.sequences)
            chosen.turn.set_result(None)

    def _retry_after(self) -> float:
        """Seconds: a guess that grows with what is ahead."""
        return 1 + 2 * self.waiting / self.capacity
