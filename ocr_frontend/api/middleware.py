"""The outermost layer: request ids, the one error handler, one log line a request, request metrics.

Plain ASGI. Nothing is raised beyond it, because a server logs what it catches, message included, and a message of a
library may quote what it was given. What is logged of an unexpected error is its type and where it was raised.
"""

import logging
import secrets
import time
import traceback
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_frontend.errors import FrontError
from ocr_frontend.observability.metrics import Metrics
from ocr_frontend.observability.telemetry import given_id

log = logging.getLogger("ocr_frontend")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CLIENT_GONE = 499  # never sent; what metrics and the log call a request whose client went away


def new_id() -> str:
    """A ULID: 26 characters that sort by time."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def error_response(error: FrontError, request_id: str) -> JSONResponse:
    """API.md's error body; `Retry-After` where a later try makes sense."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = {"error": {"code": error.code, "message": error.message, "request_id": request_id}}
    return JSONResponse(body, error.status, headers)


class Boundary:
    """Wraps the app. `scope["state"]["request_id"]` is set for everything inside."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

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
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
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
        self._metrics.requests.labels(path, f"{status // 100}xx").inc()
        quiet = path in ("/health", "/ready", "/metrics")
        log.log(
            logging.DEBUG if quiet else logging.INFO,
            "%s %s %s %d %.0f ms", scope["state"]["request_id"], scope["method"], path, status, seconds * 1000,
            extra={"request_id": scope["state"]["request_id"], "method": scope["method"], "route": path,
                   "status": status, "duration_ms": round(seconds * 1000)},
        )  # fmt: skip


def _log_unexpected(request_id: str, error: Exception) -> None:
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s unexpected %s\n%s", request_id, type(error).__name__, frames)
