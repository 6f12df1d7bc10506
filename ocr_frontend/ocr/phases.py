"""Reading and asking in turns, where OCR and the model server share a few cores.

Side by side each takes the other's cores and nothing is won, while prompts that are asked together are answered as one
batch. So pictures are read while prompts wait, until nobody else waits to be read or enough prompts do; then all of
these are asked at once. Nobody waits longer than `PATIENCE`: a picture may take long to read, and an answer to come.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator

TOGETHER = 8  # prompts that wait, from which on they are asked before the next picture is read
PATIENCE = 4.0  # seconds


class _Side:
    """Who reads, or who asks: how many do, and who waits for it. Who is let go counts from then on."""

    def __init__(self) -> None:
        self.running = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    def let_go(self) -> None:
        """All who wait."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                self.running += 1
                waiter.set_result(None)


class Phases:
    """For one event loop. A picture is `wanted` from its arrival on, and `reading` once a reader has it."""

    def __init__(self, together: int = TOGETHER, patience: float = PATIENCE) -> None:
        self._together, self._patience = together, patience
        self._wanted, self._reads, self._asks = 0, _Side(), _Side()

    @contextlib.contextmanager
    def wanted(self) -> Iterator[None]:
        """Around the whole wait for a picture's text."""
        self._wanted += 1
        try:
            yield
        finally:
            self._wanted -= 1
            self._go_on()

    def reading(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Around a read, once it has a reader."""
        return self._turn(self._reads)

    def asking(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Around a question to the model."""
        return self._turn(self._asks)

    @contextlib.asynccontextmanager
    async def _turn(self, side: _Side) -> AsyncIterator[None]:
        await self._wait(side)
        try:
            yield
        finally:
            side.running -= 1
            self._go_on()

    async def _wait(self, side: _Side) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        side.waiting.append(waiter)
        self._go_on()
        try:
            async with asyncio.timeout(self._patience):
                await waiter
        except TimeoutError:  # its turn has not come, and it goes all the same
            side.running += waiter.cancelled()
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it had been let go in the same moment
                side.running -= 1
                self._go_on()
            raise
        finally:
            with contextlib.suppress(ValueError):
                side.waiting.remove(waiter)

    def _go_on(self) -> None:
        if self._asks.running or (self._asks.waiting and not self._reads.running and self._asks_first()):
            self._asks.let_go()
        elif len(self._asks.waiting) < self._together:
            self._reads.let_go()

    def _asks_first(self) -> bool:
        return not self._wanted or len(self._asks.waiting) >= self._together


class NoPhases(Phases):
    """Nobody waits: the model server has a machine of its own, or there are cores enough."""

    async def _wait(self, side: _Side) -> None:
        side.running += 1
