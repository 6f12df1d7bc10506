"""What every route that reads cards stands in: the key's limits, its share, one deadline for the whole request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from ocr_frontend.api.admission import Hold
from ocr_frontend.api.service import Service
from ocr_frontend.auth.keys import Key
from ocr_frontend.auth.limits import Used
from ocr_frontend.auth.work import Work, working
from ocr_frontend.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Serving:
    """used: what the request costs its key; hold: where its bytes are counted."""

    service: Service
    key: Key
    used: Used
    hold: Hold
    _held: ExitStack

    def admit(self) -> None:
        """Once the form is there: take a place among the requests that are worked on. Raises Busy or RateLimited."""
        self._held.enter_context(self.service.admission.take(self.key, 1))


@asynccontextmanager
async def serving(request: Request, service: Service, key: Key, *, reads: bool = True) -> AsyncIterator[Serving]:
    """Admit one request of a key; it ends `request_seconds` after its first byte, whatever it is at.

    reads: its pictures are read before it is answered, so where there is no room for that it is refused before its form
    is taken apart. Raises Busy, RateLimited, OcrUnavailable, DeadlineExceeded.
    """
    seconds = service.settings.request_seconds
    work = Work(key.id, request.state.began + seconds)
    try:
        async with asyncio.timeout(work.left()):
            with ExitStack() as held:
                held.enter_context(working(work))
                service.memory.check()
                used = held.enter_context(service.limiter.admit(key))
                held.enter_context(service.uploads.take(key, 1))
                hold = held.enter_context(service.bytes.take(key))
                if reads:
                    _require_room(service, key)
                yield Serving(service, key, used, hold, held)
    except TimeoutError:
        raise DeadlineExceeded(f"The request did not end within {seconds:g} s.") from None


def _require_room(service: Service, key: Key) -> None:
    """Raises what the request would be refused for if its form were there. A slow upload still holds no place."""
    with service.admission.take(key, 1):
        service.pool.require_turn()
