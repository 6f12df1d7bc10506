"""One call to the model server: once, and once more while it is away. Its failures become errors of this package."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import httpx

from ocr_frontend.auth.work import current
from ocr_frontend.errors import (
    Busy,
    DeadlineExceeded,
    FrontError,
    ModelServerAway,
    ModelServerHangs,
    ModelServerRefuses,
    UnknownModel,
    Unprocessable,
)
from ocr_frontend.llm.breaker import Breaker


class PromptChanged(FrontError):
    """The alias has moved to a revision that takes another prompt. Never leaves `extraction.llm_step`."""


class Transport:
    """retry_seconds: pause before the one retry, None for none. Cancelling a call closes its connection."""

    def __init__(self, http: httpx.AsyncClient, breaker: Breaker | None, retry_seconds: float | None) -> None:
        self._http, self._breaker, self._retry_seconds = http, breaker or Breaker(0, 0), retry_seconds
        self.retries = 0

    async def send(
        self, method: str, path: str, seconds: float, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON answered. Once, and once more when the server is away (docs/decisions/0006), within one deadline.

        Raises UnknownModel (404), PromptChanged (409), Unprocessable (400), Busy (429), ModelServerAway (away, 5xx),
        DeadlineExceeded.
        """
        loop = asyncio.get_running_loop()
        left = current().left(seconds)
        ends = loop.time() + left
        try:
            return await self._once(method, path, left, body, headers, whole=left >= seconds)
        except ModelServerRefuses:
            raise
        except ModelServerAway:
            pause = (self._retry_seconds or 0) * random.uniform(1, 2)
            if self._retry_seconds is None or self._breaker.open or loop.time() + pause >= ends:
                raise
        await asyncio.sleep(pause)
        self.retries += 1
        return await self._once(method, path, ends - loop.time(), body, headers, whole=False)

    async def tell(self, path: str, seconds: float, body: Any, headers: Mapping[str, str]) -> None:
        """Send and forget: no retry, no error, nothing counted."""
        try:
            async with asyncio.timeout(seconds):
                await self._http.post(path, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return

    async def alive(self, path: str, seconds: float) -> int | None:
        """The status of a GET, None where nobody answers."""
        try:
            async with asyncio.timeout(seconds):
                return (await self._http.get(path)).status_code
        except (httpx.HTTPError, TimeoutError):
            return None

    async def _once(
        self, method: str, path: str, seconds: float, body: Any, headers: Mapping[str, str] | None, *, whole: bool
    ) -> Any:
        """`whole`: the call has all the time that it may take, so that not answering is the server's failure."""
        with self._breaker.call():
            return await self._ask(method, path, seconds, body, headers, whole=whole)

    async def _ask(
        self, method: str, path: str, seconds: float, body: Any, headers: Mapping[str, str] | None, *, whole: bool
    ) -> Any:
        try:
            async with asyncio.timeout(seconds):
                response = await self._http.request(method, path, json=body, headers=headers)
        except httpx.ConnectTimeout:
            raise ModelServerAway("The model server cannot be reached.") from None
        except httpx.PoolTimeout:
            raise Busy("All connections to the model server are in use.") from None
        except (TimeoutError, httpx.TimeoutException):
            kind = ModelServerHangs if whole else DeadlineExceeded
            raise kind(f"The model server did not answer within {seconds:.3g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ModelServerAway("The model server cannot be reached.") from None
        if not response.is_success:
            raise _refusal(response.status_code)
        try:
            return response.json()
        except ValueError:
            raise ModelServerRefuses("The model server's answer cannot be read.") from None


_REFUSALS: dict[int, tuple[type[FrontError], str]] = {
    400: (Unprocessable, "The model server refused the prompt; the card may hold too much text for the model."),
    401: (ModelServerRefuses, "The model server does not accept this service's key."),
    404: (UnknownModel, "The model server does not serve a model of that name."),
    409: (PromptChanged, "The model's prompt changed."),
    429: (Busy, "The model server is busy."),
    504: (DeadlineExceeded, "The model server's own deadline passed."),
}
_REFUSALS |= {403: _REFUSALS[401], 413: _REFUSALS[400], 422: _REFUSALS[400]}


def _refusal(status: int) -> FrontError:
    """The server's own message may quote the prompt: it stays here."""
    kind, message = _REFUSALS.get(status, (ModelServerAway, f"The model server answered with status {status}."))
    return kind(message)
