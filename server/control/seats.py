"""Who may be in a batch: so few different adapters at a time that the pinned ones keep their slots.

Without pins vLLM's scheduler does this alone. With pins it would fill a batch with as many other adapters as there are
slots, so each unpinned adapter that is being answered has a seat, and there are as many seats as unpinned slots.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# Requests of an adapter that has a seat may pass one that waits for a seat, but not for longer than this.
PATIENCE_SECONDS = 0.5


@dataclass(eq=False)
class _Waiting:
    name: str
    since: float
    turn: asyncio.Future[None]


class Seats:
    """`slots`: adapters in one batch. `clock` gives seconds."""

    def __init__(self, slots: int, clock: Callable[[], float]) -> None:
        self.slots = slots
        self.pinned: frozenset[str] = frozenset()
        self._clock = clock
        self._sitting: dict[str, int] = {}
        self._queue: deque[_Waiting] = deque()

    async def take(self, name: str) -> None:
        """Return once `name` may be asked; each call needs one `give`."""
        if self._fits(name) and (not self._queue or name in self.pinned or self._patient()):
            self._sit(name)
            return
        waiting = _Waiting(name, self._clock(), asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled():
                self.give(name)
            else:
                self._wake()
            raise

    def give(self, name: str) -> None:
        """A request of `name` is over."""
        self._sitting[name] -= 1
        if not self._sitting[name]:
            del self._sitting[name]
        self._wake()

    def pin(self, names: Iterable[str]) -> None:
        """From now on these have slots of their own. What is being answered already goes on."""
        self.pinned = frozenset(names)
        self._wake()

    def _fits(self, name: str) -> bool:
        return not self.pinned or name in self.pinned or name in self._sitting or self._others() < self._free

    def _others(self) -> int:
        return sum(1 for name in self._sitting if name not in self.pinned)

    @property
    def _free(self) -> int:
        return max(self.slots - len(self.pinned), 1)

    def _patient(self) -> bool:
        return self._clock() - self._queue[0].since < PATIENCE_SECONDS

    def _sit(self, name: str) -> None:
        self._sitting[name] = self._sitting.get(name, 0) + 1

    def _wake(self) -> None:
        """Let in whom there is room for, in order; later ones pass only while the first has patience."""
        left: deque[_Waiting] = deque()
        patient = not self._queue or self._patient()
        for waiting in self._queue:
            if waiting.turn.done():  # its caller has gone away
                continue
            if self._fits(waiting.name) and (not left or patient or waiting.name in self.pinned):
                self._sit(waiting.name)
                waiting.turn.set_result(None)
            else:
                left.append(waiting)
        self._queue = left
