"""Who is refused before the body was read: the rest is read and thrown away, so that the client hears why.

A server closes the connection of a client that announced to (`Connection: close`, as proxies do) once it has answered;
bytes that nobody has read would then reset it, and the answer would be lost.
"""

import asyncio
import time
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_frontend.api.uploads import DRAIN, FORM_OVERHEAD
from ocr_frontend.settings import Settings

# Of who showed no key: a photo's worth, and no longer than somebody who means well takes for it.
KEYLESS_BYTES = 8 * 2**20
_KEYLESS_SECONDS = 10.0


class Drain:
    """ASGI, inside Boundary. Nothing of a body is kept, and no more is read of it than an upload may have.

    A client that waits for `100 Continue`, or that announced more than would be read, is answered at once.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        job = min(settings.jobs_key_bytes, settings.max_bytes * settings.jobs_images)
        self._app = app
        self._most = max(DRAIN * (settings.max_bytes + FORM_OVERHEAD), job + FORM_OVERHEAD)
        self._seconds = min(settings.request_seconds, settings.upload_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(Headers(scope=scope), receive)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                await self._hear_out(scope, body)
            await send(message)

        await self._app(scope, body.receive, send_on)

    async def _hear_out(self, scope: Scope, body: "_Body") -> None:
        most, seconds = self._most, self._seconds
        if "key_id" not in scope["state"]:
            most, seconds = min(most, KEYLESS_BYTES), min(seconds, _KEYLESS_SECONDS)
        if body.announced > most or body.held_back:
            return
        with suppress(TimeoutError):
            # From the request's first byte on: who was too slow once is not waited for again.
            async with asyncio.timeout(scope["state"]["began"] + seconds - time.monotonic()):
                while not body.ended and body.received <= most:
                    await body.receive()


class _Body:
    """What comes of a request's body.

    announced: its bytes, 0 where it is not said; held_back: until it gets a word; ended: nothing more will come.
    """

    def __init__(self, headers: Headers, receive: Receive) -> None:
        length = headers.get("content-length", "")
        self.announced = int(length) if length.isdecimal() else 0
        self.ended = not self.announced and "transfer-encoding" not in headers
        self.received = 0
        self.held_back = "100-continue" in headers.get("expect", "").lower()
        self._receive = receive

    async def receive(self) -> Message:
        """ASGI's."""
        self.held_back = False
        message = await self._receive()
        self.received += len(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        return message
