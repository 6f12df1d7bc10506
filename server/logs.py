"""How log lines are written, and the request id: taken from the caller or made here, answered, handed to vLLM.

With `log_format` json every request is one line: id, method, route (never the path as sent), status, time.
"""

import json
import logging
import os
import secrets
import string
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.routes.table import Rule, find_rule

TEXT = "[server] %(message)s"
REQUEST_ID = "X-Request-Id"
# What a line may carry besides its message (`extra=`); the front writes the same names.
FIELDS = (
    *("request_id", "method", "route", "status", "duration_ms", "model"),
    *("key", "tokens_in", "tokens_out", "tokens_cached", "tokens_broken_off"),
)
_MOST = 128  # characters of a request id from outside
_ALLOWED = frozenset(string.ascii_letters + string.digits + "-_.")
_QUIET = {"/health", "/ready", "/metrics"}
log = logging.getLogger("server.requests")


class JsonFormatter(logging.Formatter):
    """`time` in UTC, `level`, `logger`, `message`, and those of FIELDS that the line has."""

    def format(self, record: logging.LogRecord) -> str:
        """One line. Of an exception its type alone: its message may hold anything."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {"time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname}
        line |= {"logger": record.name, "message": record.getMessage()}
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def formatter() -> logging.Formatter:
    """As SERVER_LOG_FORMAT says; read from the environment, because vLLM's processes log before they have settings."""
    return JsonFormatter() if os.environ.get("SERVER_LOG_FORMAT") == "json" else logging.Formatter(TEXT)


class RequestIds:
    """The outermost middleware. vLLM names its own request after the header, so its spans carry the id too."""

    def __init__(self, app: ASGIApp, lines: bool) -> None:
        self._app, self._lines = app, lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`lines`: whether each request is logged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        request_id = given_id(headers.get(REQUEST_ID)) or secrets.token_hex(16)
        headers[REQUEST_ID] = request_id
        began, status = time.perf_counter(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            if self._lines:
                _log(scope, request_id, status, time.perf_counter() - began)


def given_id(given: str | None) -> str | None:
    """The caller's id, if it is one: short, and of characters that can do nothing in a log."""
    return given if given and len(given) <= _MOST and _ALLOWED.issuperset(given) else None


def _log(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    rule = find_rule(scope["method"], scope["path"])
    route = rule.path if isinstance(rule, Rule) else "other"
    level = logging.DEBUG if route in _QUIET and status < 400 else logging.INFO
    method = scope["method"] if isinstance(rule, Rule) else "other"
    fields = {"request_id": request_id, "method": method, "route": route, "status": status}
    log.log(level, "request", extra={**fields, "duration_ms": round(seconds * 1000)})
