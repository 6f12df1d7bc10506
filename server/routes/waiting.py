"""What is waited for before the engine is asked: not longer than a limit, and not for somebody who has gone."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from server.errors import Unavailable

T = TypeVar("T")


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the caller goes away. Raises ClientDisconnect."""
    return await before(None, request, work)


async def before(seconds: float | None, request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when it takes too long or the caller goes away.

    The request's body has been read. Raises Unavailable, ClientDisconnect, and what `work` raises."""
    working = asyncio.ensure_future(work)
    listening = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait([working, listening], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if listening.done():
            raise ClientDisconnect
        raise Unavailable(f"This server is busy: the request waited {seconds:g} s for its turn.", 5)
    finally:
        for task in (working, listening):
            task.cancel()
        # What was given while it was cancelled is given back by `work` itself.
        await asyncio.wait([working, listening])


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
