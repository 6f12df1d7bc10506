"""One request from its arrival to its last byte: who asks, which revision answers, what is to be given back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from server.auth.keys import Key
from server.control.residency import Lease

# A caller who went away leaves its request in the engine for a moment: what it uses stays that long.
_ABORT_SECONDS = 0.5


@dataclass
class Exchange:
    """Made by the gate, filled by the routes, closed by the gate.

    `complete`: the last byte went out. `broken`: it failed after it had begun. `gone`: the caller did not wait for it.
    """

    key: Key
    started: float = field(default_factory=time.perf_counter)
    adapter: str | None = None
    revision: str | None = None
    lease: Lease | None = None
    counted: bool = False
    status: int = 0
    complete: bool = False
    broken: bool = False
    gone: bool = False
    tokens: Callable[[], int] = lambda: 0
    on_close: Callable[["Exchange"], Awaitable[None]] | None = None

    async def close(self) -> None:
        """Give everything back, whatever happened."""
        try:
            if self.on_close is not None:
                await self.on_close(self)
        finally:
            await self._release()

    async def _release(self) -> None:
        lease, self.lease = self.lease, None
        if lease is None:
            return
        if self.complete and not self.gone:
            await lease.release()
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(_ABORT_SECONDS, lambda: loop.create_task(lease.release()))


def exchange_of(request: Request) -> Exchange:
    """The exchange that the gate made for a request."""
    found: Exchange = request.state.exchange
    return found
