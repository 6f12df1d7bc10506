"""The outermost middleware: closed routes, keys, limits, sizes and the drain. Pure ASGI, so streams pass untouched."""

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from server.admission.account import current
from server.admission.admission import Admission
from server.auth.keys import Key
from server.auth.keys_file import KeysFile
from server.browsers import check_local
from server.errors import Forbidden, NotHere, ServerError, TooLarge, Unauthorized, Unavailable
from server.exchange import Exchange
from server.handlers import UNEXPECTED, log_unexpected
from server.logs import REQUEST_ID
from server.metrics import Metrics
from server.routes.table import Rule, find_rule
from server.streams import MIB, counted, too_large, watched, without_body
from server.vllm.closed import PASSED

# vLLM reads these from any caller: who is served first, and by which of its engines.
_FOREIGN = frozenset({b"x-vllm-priority", b"x-data-parallel-rank"})


@dataclass(frozen=True)
class _Call:
    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send


class Gate:
    """`running` counts the requests that generate; `draining` closes the door to new ones; `ring` may be replaced."""

    def __init__(self, keys: KeysFile, admission: Admission, metrics: Metrics, body_mib: int, upload_mib: int) -> None:
        self.running = 0
        self.draining = False
        self._keys = keys
        self.ring = keys.read()
        self.admission = admission
        self.metrics = metrics
        self._body_bytes = body_mib * MIB
        # An archive and the multipart form around it.
        self._upload_bytes = (upload_mib + 1) * MIB

    @property
    def open(self) -> bool:
        """Whether everybody may do everything (no keys, loopback only)."""
        return self.ring.open

    async def handle(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        send = without_body(send) if scope["method"] == "HEAD" else send
        try:
            rule = self._rule(scope)
            headers = Headers(scope=scope)
            if self.open and rule.access != "open":
                check_local(headers)
            key = self._key(rule, headers)
            inner = {**scope, "method": rule.method, PASSED: True}
            inner["headers"] = [pair for pair in scope["headers"] if pair[0] not in _FOREIGN]
            await self._pass(_Call(app, inner, receive, send), rule, key)
        except ServerError as error:
            # Raised before the application; what happens in it is answered there.
            if rule_is_generating(scope):
                self.metrics.errors.labels("none", "", error.code).inc()
            await JSONResponse(error.body(), error.status, error.headers)(scope, receive, send)

    def look_at_keys(self) -> None:
        """Take over the keys file's changes, all at once. Reads the file when it has changed."""
        ring = self._keys.changed()
        if ring is not None:
            self.ring = ring

    async def drained(self, seconds: float) -> bool:
        """Close the door and wait for what runs; whether all of it finished in time."""
        self.draining = True
        try:
            async with asyncio.timeout(seconds):
                while self.running:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return False
        return True

    def _rule(self, scope: Scope) -> Rule:
        found = find_rule(scope["method"], scope["path"])
        if isinstance(found, Rule):
            return found
        if found:
            error = NotHere(f"This route takes {', '.join(found)}.", code="method_not_allowed")
            error.status, error.headers = 405, {"Allow": ", ".join(found)}
            raise error
        raise NotHere("There is no such route.", code="no_such_route")

    def _key(self, rule: Rule, headers: Headers) -> Key | None:
        if rule.access == "open":
            return None
        ring = self.ring
        key = ring.find(headers.get("authorization"))
        if key is None:
            if rule.access == "metrics" and not ring.guards("metrics"):
                return None
            raise Unauthorized("This route needs a valid key: 'Authorization: Bearer …'.")
        if not key.may(rule.access):
            raise Forbidden(f"This key has no scope {rule.access!r}.")
        return key

    async def _pass(self, call: _Call, rule: Rule, key: Key | None) -> None:
        if key is None or rule.access == "metrics":
            await call.app(call.scope, call.receive, call.send)
            return
        if self.draining and rule.method != "GET":
            raise Unavailable("This server is stopping.", 5)
        headers = Headers(scope=call.scope)
        limit = self._upload_bytes if rule.access == "admin" else self._body_bytes
        claimed = headers.get("content-length") or "0"
        if not claimed.isdecimal() or int(claimed) > limit:
            raise TooLarge(too_large(limit))
        if rule.generates:
            self.admission.arrive(key)
        exchange = Exchange(key, headers.get(REQUEST_ID) or "")
        call.scope["state"] = {**call.scope.get("state", {}), "exchange": exchange}
        self.running += rule.generates
        mark = current.set(exchange.account)
        try:
            await call.app(call.scope, counted(call.receive, limit, exchange), watched(call.send, exchange))
        except ClientDisconnect:
            exchange.gone = True
        except Exception as error:
            # Further out, the web server would log the exception with its text, which may hold anything.
            log_unexpected(error)
            await self._broken(call, exchange)
        finally:
            current.reset(mark)
            self.running -= rule.generates
            await asyncio.shield(exchange.close())

    async def _broken(self, call: _Call, exchange: Exchange) -> None:
        """Answer 500 if nothing went out yet; a stream that began can only end."""
        if exchange.status:
            exchange.broken = exchange.status < 400
        else:
            exchange.status = 500
            await JSONResponse(ServerError(UNEXPECTED).body(), 500)(call.scope, call.receive, call.send)
        exchange.complete = True


class GateMiddleware:
    """Hangs a gate in front of an application."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HTTP passes through the gate, websockets nowhere."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._gate.handle(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)


def rule_is_generating(scope: Scope) -> bool:
    """Whether a request's route runs the model."""
    rule = find_rule(scope["method"], scope["path"])
    return isinstance(rule, Rule) and rule.generates
