"""Adapters that nobody has registered, looked for at their first request: in a hub, a bucket or a folder.

What is found becomes an ordinary revision, with every check. What is not there is not asked for again for a while.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adapters.registry.contents import Taken
from adapters.registry.errors import Refused, RegistryError
from adapters.registry.scan import is_name
from server.control.admin import Admin
from server.control.fetched import Fetched
from server.errors import NotHere, ServerError, TooMany, Unavailable, Unprocessable

OURSELVES = "on-demand"
log = logging.getLogger("server.on_demand")
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 3600.0
_REMEMBERED = 10_000


@dataclass(frozen=True)
class _Missing:
    until: float
    pause: float
    error: ServerError


class OnDemand:
    """`bring` fills a staging folder with the adapter of a name (server/sources.py). `clock` gives seconds."""

    def __init__(
        self,
        admin: Admin,
        bring: Callable[[str, Path], Taken],
        fetched: Fetched,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admin = admin
        self._bring = bring
        self._fetched = fetched
        self._clock = clock
        self._missing: OrderedDict[str, _Missing] = OrderedDict()
        self._looking: dict[str, asyncio.Task[None]] = {}

    async def find(self, name: str) -> None:
        """Return once `name` is registered. Raises NotHere, Unavailable, TooMany. Many askers share one look."""
        plane = self._admin.plane
        if name in plane.catalogue.adapters or not is_name(name):
            return
        missing = self._missing.get(name)
        if missing is not None and self._clock() < missing.until:
            raise missing.error.with_traceback(None)
        task = self._looking.get(name)
        if task is None:
            task = self._looking[name] = asyncio.create_task(self._look(name))
            task.add_done_callback(lambda done: self._done(name, done))
        await asyncio.shield(task)

    def used(self, name: str) -> None:
        """Somebody asks for an adapter."""
        self._fetched.used(name)

    async def flush(self) -> None:
        """Write down who was used."""
        await self._admin.plane.lanes.registry(self._fetched.flush)

    async def _look(self, name: str) -> None:
        lanes, registry = self._admin.plane.lanes, self._admin.plane.registry
        try:
            with registry.staging() as staging:
                taken = await lanes.fetch(self._bring, name, staging)

                def move(inner: Path) -> Taken:
                    return Taken(taken.folder.rename(inner / "content"), taken.left_out)

                await self._admin.register(OURSELVES, name, move)
        except TooMany:
            raise
        except Exception as error:
            raise self._remember(name, error) from error
        self._missing.pop(name, None)
        log.info("%s was found", name)
        await self._make_room(name)

    async def _make_room(self, name: str) -> None:
        plane = self._admin.plane
        try:
            await plane.lanes.registry(self._fetched.note, name)
            for other in await plane.lanes.registry(self._fetched.too_many, plane.catalogue):
                busy = any(
                    plane.residency.in_use(revision.public_name)
                    for revision in plane.catalogue.adapter(other).revisions.values()
                )
                if other == name or busy:
                    continue
                await self._admin.retire(OURSELVES, other)
                await plane.lanes.registry(self._fetched.forget, other)
        except (OSError, ServerError) as error:
            log.warning("what was found on demand could not be kept within its disk space: %s", type(error).__name__)

    def _remember(self, name: str, error: Exception) -> ServerError:
        before = self._missing.pop(name, None)
        pause = min(2 * before.pause, _LONGEST_PAUSE) if before else _FIRST_PAUSE
        told = _told(name, error, pause)
        self._missing[name] = _Missing(self._clock() + pause, pause, told)
        if len(self._missing) > _REMEMBERED:
            self._missing.popitem(last=False)
        if not isinstance(error, NotHere):
            log.warning("%s was looked for, and cannot be had: %s", name, told.message)
        return told

    def _done(self, name: str, task: "asyncio.Task[None]") -> None:
        self._looking.pop(name, None)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone away


def _told(name: str, error: Exception, pause: float) -> ServerError:
    """What its callers are told, now and until it is looked for again."""
    if isinstance(error, NotHere):
        return NotHere(f"The model {name!r} does not exist.", param="model", code="model_not_found")
    said = error.message if isinstance(error, ServerError) else str(error) if isinstance(error, RegistryError) else ""
    if isinstance(error, Unprocessable) or (isinstance(error, Refused) and not error.transient):
        return NotHere(f"{name} cannot serve: {said}", param="model", code="refused")
    return Unavailable(f"{name} was looked for, and cannot be had at the moment. {said}".strip(), pause)
