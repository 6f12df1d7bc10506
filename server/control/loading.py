"""Loads for requests and ahead of them, and what becomes of those that fail: not now, or never."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.registry.catalogue import Revision
from adapters.registry.errors import Refused
from adapters.registry.reader import Reader
from server.control.lease import Lease
from server.control.residency import Residency
from server.errors import NotHere, ServerError, Unavailable

log = logging.getLogger("server.plane")
_RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class Loading:
    """`refresh` reads the registry again; `seconds`: how long a request may wait for its place."""

    residency: Residency
    reader: Reader
    refresh: Callable[[], Awaitable[bool]]
    seconds: float

    async def admit(self, revision: Revision) -> Lease:
        """`revision` loaded, with a seat, held. Raises NotHere, Unavailable: it waits for its place only so long."""
        self._check_wait(revision)
        limit = asyncio.timeout(self.seconds)
        try:
            async with limit:
                return await self._admit(revision)
        except TimeoutError as error:
            if not limit.expired():
                raise await self._failed(revision, _busy()) from error
            text = f"{revision.public_name} found no place within {self.seconds:g} s: too many are in use."
            raise Unavailable(text, _RETRY_SECONDS) from error
        except Refused as refused:
            raise await self._failed(revision, refused) from refused
        except ServerError:
            raise
        except Exception as error:
            # Of the engine's process or of this one: it says nothing about the revision.
            log.error("%s could not be loaded: %s", revision.public_name, type(error).__name__)
            raise await self._failed(revision, _busy()) from error

    async def warm(self, revision: Revision) -> None:
        """Load ahead of requests, whatever must make room. What fails here fails for this revision alone."""

        async def load() -> bool:
            await (await self.residency.acquire(revision)).release()
            return True

        await self._quietly(revision, load)

    async def warm_if_worth(self, revision: Revision, bonus: float) -> bool:
        """The same unless it would push out what is more popular (Residency.load_ahead); whether it was loaded."""
        if self.reader.refusals.wait(revision.found) > 0:
            return False
        return await self._quietly(revision, lambda: self.residency.load_ahead(revision, bonus))

    async def _admit(self, revision: Revision) -> Lease:
        lease = await self.residency.acquire(revision)
        self.reader.pardon(revision)
        try:
            await lease.sit()
        except BaseException:
            await lease.release()
            raise
        return lease

    async def _quietly(self, revision: Revision, load: Callable[[], Awaitable[bool]]) -> bool:
        try:
            loaded = await load()
        except Refused as refused:
            if refused.transient:
                log.warning("%s could not be loaded: %s", revision.public_name, refused)
                self.reader.refusals.note(revision.found, refused)
            else:
                await self._refuse(revision, refused)
            return False
        except Exception as error:
            log.error("%s could not be loaded: %s", revision.public_name, type(error).__name__)
            self.reader.refusals.note(revision.found, _busy())
            return False
        if loaded:
            log.info("%s is loaded", revision.public_name)
            self.reader.pardon(revision)
        return loaded

    def _check_wait(self, revision: Revision) -> None:
        """Whoever asks soon after a load that failed for a moment is told to wait: a disk in trouble needs no crowd."""
        seconds = self.reader.refusals.wait(revision.found)
        if seconds > 0 and not self.residency.holds(revision.public_name):
            raise Unavailable(f"{revision.public_name} could not be loaded a moment ago.", seconds)

    async def _failed(self, revision: Revision, refused: Refused) -> ServerError:
        """What the caller is told of a load that failed; remembered, for a moment or for longer."""
        name = revision.public_name
        if refused.transient:
            log.warning("%s could not be loaded: %s", name, refused)
            seconds = self.reader.refusals.note(revision.found, refused)
            # Perhaps it was deleted just now.
            await self.refresh()
            return Unavailable(f"{name} could not be loaded: {refused}", seconds)
        await self._refuse(revision, refused)
        return NotHere(f"{name} cannot serve: {refused}", param="model", code=refused.check)

    async def _refuse(self, revision: Revision, refused: Refused) -> None:
        log.warning("%s is refused: %s", revision.public_name, refused)
        self.reader.refuse(revision, refused)
        await self.refresh()


def _busy() -> Refused:
    return Refused("engine-busy", "The engine could not load the adapter.")
