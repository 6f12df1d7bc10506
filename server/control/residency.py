"""Which adapters are in the engine's memory: loaded at their first request, the least recently used ones leave.

The engine has a cache of its own; this one is a little smaller and decides alone, so that nothing leaves that a
request holds, and every load, hit and eviction is seen.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from adapters.registry.catalogue import Revision
from server.control.engine import LoraEngine
from server.control.observer import Observer
from server.control.seats import Seats

Check = Callable[[Revision], Awaitable[None]]


@dataclass(eq=False)
class _Entry:
    revision: Revision
    task: asyncio.Task[None] | None = None
    leases: int = 0
    leaving: bool = False

    @property
    def loaded(self) -> bool:
        return self.task is not None and self.task.done() and not self.task.cancelled() and not self.task.exception()


class Lease:
    """The right to ask one revision until `release`."""

    def __init__(self, residency: "Residency", entry: _Entry) -> None:
        self._residency = residency
        self._entry: _Entry | None = entry
        self._seated = False

    async def sit(self) -> None:
        """Wait until this revision may be in a batch beside those that are."""
        if self._entry is not None and not self._seated:
            await self._residency.seats.take(self._entry.revision.public_name)
            self._seated = True

    async def release(self) -> None:
        """Give it back; a second call does nothing."""
        entry, self._entry = self._entry, None
        if entry is not None:
            if self._seated:
                self._residency.seats.give(entry.revision.public_name)
            await self._residency.give_back(entry)


class Residency:
    """`capacity`: adapters in memory. `verify` runs before a revision's load, `prove` after it, each may refuse."""

    def __init__(
        self,
        engine: LoraEngine,
        capacity: int,
        seats: Seats,
        verify: Check,
        prove: Check,
        observer: Observer,
    ) -> None:
        self.capacity = capacity
        self.seats = seats
        self.observer = observer
        self.pinned: frozenset[str] = frozenset()
        self._engine = engine
        self._verify = verify
        self._prove = prove
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._room = asyncio.Condition()
        self._taken = 0  # places: what is loaded, and what was let in to load

    async def acquire(self, revision: Revision) -> Lease:
        """Return once `revision` is loaded; concurrent first requests share one load. Raises Refused."""
        name = revision.public_name
        entry = self._entries.get(name)
        self.observer.looked_up(hit=entry is not None)
        if entry is None:
            entry = self._entries[name] = _Entry(revision)
            # A task of its own: the first caller may go away, the others still wait for the load.
            entry.task = asyncio.create_task(self._load(name, entry))
            entry.task.add_done_callback(_retrieved)
        else:
            self._entries.move_to_end(name)
        entry.leases += 1
        entry.leaving = False
        lease = Lease(self, entry)
        try:
            assert entry.task is not None
            await asyncio.shield(entry.task)
        except BaseException:
            await lease.release()
            raise
        return lease

    async def give_back(self, entry: _Entry) -> None:
        """End of a lease; the caller is `Lease.release`."""
        entry.leases -= 1
        await self._let_go(entry)
        await self._tell()

    async def leave(self, name: str) -> None:
        """Unload `name` as soon as nobody uses it."""
        entry = self._entries.get(name)
        if entry is None or name in self.pinned:
            return
        entry.leaving = True
        await self._let_go(entry)
        await self._tell()

    async def pin(self, names: Iterable[str]) -> None:
        """Exactly these keep memory and slot from now on, or from their load on. At most `room_for_pins`."""
        before, self.pinned = self.pinned, frozenset(names)
        self.seats.pin(self.pinned)
        for name in before - self.pinned:
            await self._engine.unpin(name)
        for name in self.pinned - before:
            await self._engine.pin(name)

    def resident(self) -> list[Revision]:
        """Loaded revisions, least recently used first."""
        return [entry.revision for entry in list(self._entries.values()) if entry.loaded]

    def holds(self, name: str) -> bool:
        """Whether `name` is loaded or being loaded."""
        return name in self._entries

    def in_use(self, name: str) -> int:
        """How many requests hold `name`."""
        entry = self._entries.get(name)
        return entry.leases if entry else 0

    @property
    def room_for_pins(self) -> int:
        """How many may be pinned at most: one place in memory and one slot are left for all others."""
        return max(min(self.capacity, self.seats.slots) - 1, 0)

    async def _load(self, name: str, entry: _Entry) -> None:
        admitted = False
        try:
            await self._verify(entry.revision)
            await self._take_place()
            admitted = True
            started = time.perf_counter()
            await self._engine.load(name, entry.revision.folder)
            seconds = time.perf_counter() - started
            await self._proved(name, entry.revision)
        except BaseException as error:
            del self._entries[name]
            self._taken -= admitted
            self.observer.failed(entry.revision, error)
            await self._tell()
            raise
        self.observer.loaded(entry.revision, seconds)
        if name in self.pinned:
            await self._engine.pin(name)
        # Whoever waits for a place may take this one, if all who asked for it have gone away meanwhile.
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._settle(entry)))

    async def _proved(self, name: str, revision: Revision) -> None:
        try:
            await self._prove(revision)
        except BaseException:
            await self._engine.unload(name)
            raise

    async def _settle(self, entry: _Entry) -> None:
        await self._let_go(entry)
        await self._tell()

    async def _let_go(self, entry: _Entry) -> None:
        """Evict what was to leave, now that nobody may be asking it."""
        name = entry.revision.public_name
        if entry.leases == 0 and entry.leaving and entry.loaded and self._entries.get(name) is entry:
            await self._evict(name, "left")

    async def _tell(self) -> None:
        async with self._room:
            self._room.notify_all()

    async def _take_place(self) -> None:
        """Evict until a place is free, waiting for one when requests hold them all."""
        while self._taken >= self.capacity:
            victim = self._victim()
            if victim is not None:
                await self._evict(victim, "room")
                continue
            async with self._room:
                await self._room.wait_for(lambda: self._victim() or self._taken < self.capacity)
        self._taken += 1

    def _victim(self) -> str | None:
        return next((name for name, entry in self._entries.items() if self._idle(name, entry)), None)

    def _idle(self, name: str, entry: _Entry) -> bool:
        return entry.leases == 0 and entry.loaded and name not in self.pinned

    async def _evict(self, name: str, reason: str) -> None:
        entry = self._entries.pop(name)
        self.observer.evicted(entry.revision, reason)
        try:
            await self._engine.unload(name)
        finally:
            # Only now: until the engine has forgotten it, its place is taken.
            self._taken -= 1
            await self._tell()


def _retrieved(task: asyncio.Task[None]) -> None:
    """A failed load that nobody waits for any longer is known already: no warning of asyncio's about it."""
    if not task.cancelled():
        task.exception()
