"""One request from its arrival to its last byte: who asks, which revision answers, what is to be given back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from server.admission.account import Account
from server.admission.admission import Admitted
from server.auth.keys import Key
from server.control.lease import Lease

# A caller who went away leaves its request in the engine for a moment. What it uses stays until it has left; after so
# long without a word of it, the engine is believed to have forgotten it.
_ABORT_SECONDS = 10.0


@dataclass
class Exchange:
    """Made by the gate, filled by the routes, closed by the gate.

    `who`: its metrics' labels, once it runs. `complete`: the last byte went out. `broken`: it failed after it had
    begun. `gone`: the caller did not wait for it. `plain`: it asks for nothing that could make the engine fail by
    itself, so that a failure speaks against the revision.
    """

    key: Key
    request_id: str = ""
    started: float = field(default_factory=time.perf_counter)
    adapter: str | None = None
    revision: str | None = None
    model: str = ""
    account: Account = field(default_factory=Account)
    admitted: Admitted | None = None
    lease: Lease | None = None
    who: tuple[str, str] | None = None
    plain: bool = True
    status: int = 0
    complete: bool = False
    broken: bool = False
    gone: bool = False
    on_close: Callable[["Exchange"], Awaitable[None]] | None = None
    later: "asyncio.Task[None] | None" = None

    async def close(self) -> None:
        """Give everything back, whatever happened: now, or once the engine has let go of it."""
        try:
            if self.on_close is not None:
                await self.on_close(self)
        finally:
            if self.account.idle:
                await self._give_back()
            else:
                self.later = asyncio.create_task(self._give_back_later())

    async def _give_back_later(self) -> None:
        await self.account.ended(_ABORT_SECONDS)
        await self._give_back()

    async def _give_back(self) -> None:
        if self.admitted is not None:
            self.admitted.close(self.account.usage(), self.model, self.request_id)
        lease, self.lease = self.lease, None
        if lease is not None:
            await lease.release()


def exchange_of(request: Request) -> Exchange:
    """The exchange that the gate made for a request."""
    found: Exchange = request.state.exchange
    return found
