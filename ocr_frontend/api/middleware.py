"""The outermost layer: request ids, the one error handler, one log line a request, request metrics.

Plain ASGI. Nothing is raised beyond it, because a server logs what it catches, message included, and a message of a
library may quote what it was given. What is logged of an unexpected error is its type and where it was raised.
"""

import logging
import secrets
import time
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_frontend.api.errors import error_response
from ocr_frontend.errors import FrontError
from ocr_frontend.observability.access_log import AccessLog
from ocr_frontend.observability.metrics import Metrics
from ocr_frontend.observability.telemetry import given_id

log = logging.getLogger("ocr_frontend")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
CLIENT_GONE = 499  # never sent; what metrics and the log call a request whose client went away


def new_id() -> str:
    """A ULID: 26 characters that sort by time."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


class Boundary:
    """Wraps the app. `scope["state"]["request_id"]` is set for everything inside."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access: AccessLog) -> None:
        self._app, self._metrics, self._access = app, metrics, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = given_id(Headers(scope=scope)) or new_id()
        scope.setdefault("state", {}).update(request_id=request_id, began=time.monotonic())
        began, status = time.perf_counter(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*_guarded(message["headers"]), (b"x-request-id", request_id.encode())]
            await send(message)

        self._metrics.in_progress.inc()
        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            _log_unexpected(request_id, error)
            if status == 0:
                internal = FrontError("An internal error; the log names it by this request id.")
                self._metrics.errors.labels(internal.code).inc()
                await error_response(internal, request_id)(scope, receive, send_on)
        finally:
            self._metrics.in_progress.dec()
            self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route: Any = scope.get("route")
        path = getattr(route, "path", "other")
        status = status or CLIENT_GONE
        self._access.request(scope, path, status)
        self._metrics.requests.labels(path, f"{status // 100}xx").inc()
        quiet = path in ("/health", "/ready", "/metrics")
        log.log(
            logging.DEBUG if quiet else logging.INFO,
            "%s %s %s %d %.0f ms", scope["state"]["request_id"], scope["method"], path, status, seconds * 1000,
            extra={"request_id": scope["state"]["request_id"], "method": scope["method"], "route": path,
                   "status": status, "duration_ms": round(seconds * 1000)},
        )  # fmt: skip


def _guarded(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Answers may hold personal data: nobody keeps them or takes them for something else. The page says its own."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    yield from given
    yield from ((name, value) for name, value in _HEADERS if name not in names)


def _log_unexpected(request_id: str, error: Exception) -> None:
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s unexpected %s\n%s", request_id, type(error).__name__, frames)
