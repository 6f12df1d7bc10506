"""`callback_url`: the caller is told when a job is done, with a signature, again and again until it listens.

What is told holds nobody's data: the job's id and numbers. The signature is an HMAC-SHA256 of `TIME.BODY` under the
sha256 (in hexadecimal) of the caller's key, which both sides know and nobody else.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import httpx

from ocr_frontend.auth.keys import KeyRing
from ocr_frontend.errors import FrontError, Unprocessable
from ocr_frontend.jobs.store import JobStore
from ocr_frontend.jobs.tables import Job

SIGNATURE = "X-CNI-Signature"
log = logging.getLogger("ocr_frontend")
_SECONDS = 10.0  # for an answer
_LEASE = 60.0
_AGAIN = (10.0, 60.0, 300.0, 1800.0, 7200.0)  # seconds until the next try
_LOOK = 1.0
_MOST = 2000  # characters of an address
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Target:
    """An address that may be called. Its name is looked up once, and what was found is called: it cannot point
    elsewhere a moment later."""

    def __init__(self, url: str, host: str, address: str) -> None:
        self.url, self.host, self.address = url, host, address

    def request(self, client: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> httpx.Request:
        """A POST to the address, under the host's name."""
        parts = urlsplit(self.url)
        address = f"[{self.address}]" if ":" in self.address else self.address
        netloc = address if parts.port is None else f"{address}:{parts.port}"
        extensions = {"sni_hostname": self.host}
        named = headers | {"Host": parts.netloc.rpartition("@")[2]}
        return client.build_request(
            "POST", urlunsplit(parts._replace(netloc=netloc)), content=body, headers=named, extensions=extensions
        )


async def target(url: str, *, private: bool, look_up: Resolve = resolve) -> Target:
    """Raises Unprocessable for an address that is none, and unless `private` for one inside some network."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if len(url) > _MOST or not host or parts.scheme not in ("https", "http") or parts.username is not None:
        raise Unprocessable("`callback_url` is no address: https://host/path.")
    if parts.scheme != "https" and not private:
        raise Unprocessable("`callback_url` has to begin with https://.")
    try:
        addresses = await look_up(host, port or (443 if parts.scheme == "https" else 80))
    except (OSError, UnicodeError):  # the second one of a name that no host can have: `a..b`
        raise Unprocessable("The host of `callback_url` is not known.") from None
    if not addresses or not (private or all(_is_public(address) for address in addresses)):
        raise Unprocessable("`callback_url` names an address inside a network; only public ones are called.")
    return Target(url, host, addresses[0])


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (inner is None or inner.is_global)


class Callbacks:
    """`run()` tells whom there is to tell. http: a client that follows no redirect; private: inner addresses too."""

    def __init__(
        self, store: JobStore, ring: KeyRing, http: httpx.AsyncClient, *, private: bool, look_up: Resolve = resolve
    ) -> None:
        self._store, self._ring, self._http, self._private, self._look_up = store, ring, http, private, look_up
        self.failures = 0

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                if not await self.tell_next():
                    await asyncio.sleep(_LOOK)
            except Exception as error:
                log.error("jobs: a callback failed with an unexpected %s", type(error).__name__)
                await asyncio.sleep(_LOOK)

    async def tell_next(self) -> bool:
        """Tell one caller. False where there is none to tell."""
        due = await self._store.due_callback(_LEASE)
        if due is None:
            return False
        job, tries = due
        key = self._ring.of_owner(job.owner)
        told = key is None or await self._tell(job, key.sha256)
        if told or tries > len(_AGAIN):
            await self._store.callback_later(job.id, None)
        else:
            await self._store.callback_later(job.id, _AGAIN[tries - 1])
        return True

    async def _tell(self, job: Job, secret: str) -> bool:
        progress = await self._store.progress(job.id)
        body = json.dumps(
            {"id": job.id, "state": "done", "total": job.total, "done": progress.done, "failed": progress.failed}
        ).encode()
        headers = {"Content-Type": "application/json", SIGNATURE: signature(body, secret, int(time.time()))}
        try:
            where = await target(job.callback or "", private=self._private, look_up=self._look_up)
            async with asyncio.timeout(_SECONDS):
                answer = await self._http.send(where.request(self._http, body, headers), stream=True)
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, FrontError):
            self.failures += 1
            return False
        self.failures += not answer.is_success
        return answer.is_success


def signature(body: bytes, secret: str, moment: int) -> str:
    """`t=SECONDS,v1=HEX`; the receiver computes the same, and refuses what is minutes old."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"
