"""Waiting for a change of what many look at."""

import asyncio


class Signal:
    """Wakes whoever waits: each looks for itself whether what it waits for is there."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Something has changed."""
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)

    async def wait(self) -> None:
        """Until something changes."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.add(turn)
        try:
            await turn
        finally:
            self._waiting.discard(turn)
