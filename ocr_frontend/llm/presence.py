"""Whether the model server is there, asked once in a while, however many ask for it."""

import asyncio
import time
from collections.abc import Callable

from ocr_frontend.llm.client import ModelServer


class Presence:
    """seconds: that an answer is good for. Many callers at once cost one request."""

    def __init__(self, server: ModelServer, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._server, self._seconds, self._clock = server, seconds, clock
        self._lock = asyncio.Lock()
        self._until = float("-inf")
        self._ready = False

    async def ready(self) -> bool:
        """What the server said of late. While it is asked, everybody but the first gets what it said before."""
        if self._clock() < self._until or (self._lock.locked() and self._until > float("-inf")):
            return self._ready
        async with self._lock:
            if self._clock() >= self._until:
                self._ready = await self._server.ready()
                self._until = self._clock() + self._seconds
        return self._ready
