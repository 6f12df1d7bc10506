"""Without keys the service answers this machine alone, and a web page that it happens to show is not this machine.

A page of anybody's may send forms to 127.0.0.1, and its name may be made to point there (DNS rebinding): so the `Host`
has to be this machine's, and what changes or costs something may not come from another page.
"""

import ipaddress
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ocr_frontend.api.errors import error_response
from ocr_frontend.errors import Forbidden

_SAFE = ("GET", "HEAD", "OPTIONS")
_OWN = ("same-origin", "none")


class LocalOnly:
    """ASGI. active: whether no keys are configured; hosts: names that are this machine's too."""

    def __init__(self, app: ASGIApp, active: Callable[[], bool], hosts: Collection[str]) -> None:
        self._app, self._active, self._hosts = app, active, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._active():
            refusal = self._refusal(scope["method"], Headers(scope=scope))
            if refusal is not None:
                await error_response(Forbidden(refusal), scope["state"]["request_id"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if host and not self._is_here(host):
            return (
                "Without keys this service answers as localhost alone; open it there, or set OCR_FRONT_ALLOWED_HOSTS."
            )
        if method in _SAFE:
            return None
        origin = headers.get("origin")
        foreign = headers.get("sec-fetch-site", "none") not in _OWN
        if foreign or (origin is not None and _host_of(origin) != host.lower()):
            return "Without keys this service takes nothing from another web page."
        return None

    def _is_here(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name == "localhost" or name in self._hosts:
                return True
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _host_of(origin: str) -> str | None:
    """None for what is no address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
