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

Verify = Callable[[Revision], Awaitable[None]]


@dataclass
class _Entry:
    revision: Revision
    task: asyncio.Task[None] | None = None
    leases: int = 0
    leaving: bool = False

    @property
    def loaded(self) -> bool:
        return self.task is not None and self.task.done() and not self.task.cancelled() and not self.task.exception()


@dataclass
class Counts:
    """What happened so far; read by the metrics."""

    hits: int = 0
    misses: int = 0
    loads: int = 0
    failures: int = 0
    evictions: int = 0


class Lease:
    """The right to ask one revision until `release`."""

    def __init__(self, residency: "Residency", entry: _Entry) -> None:
        self._residency = residency
        self._entry: _Entry | None = entry

    async def release(self) -> None:
        """Give it back; a second call does nothing."""
        entry, self._entry = self._entry, None
        if entry is not None:
            await self._residency.give_back(entry)


class Residency:
    """`capacity`: adapters in memory. `verify` runs before a revision's load; `on_load` is told each load's seconds."""

    def __init__(
        self, engine: LoraEngine, capacity: int, verify: Verify, on_load: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self.capacity = capacity
        self.counts = Counts()
        self.pinned: frozenset[str] = frozenset()
        self._engine = engine
        self._verify = verify
        self._on_load = on_load
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._room = asyncio.Condition()
        self._taken = 0  # places: what is loaded, and what was let in to load

    async def acquire(self, revision: Revision) -> Lease:
        """Return once `revision` is loaded; concurrent first requests share one load. Raises Refused."""
        name = revision.public_name
        entry = self._entries.get(name)
        if entry is None:
            self.counts.misses += 1
            entry = self._entries[name] = _Entry(revision)
            # A task of its own: the first caller may go away, the others still wait for the load.
            entry.task = asyncio.create_task(self._load(name, entry))
        else:
            self.counts.hits += 1
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
        name = entry.revision.public_name
        if entry.leases == 0 and entry.leaving and self._entries.get(name) is entry and entry.loaded:
            await self._evict(name)
        async with self._room:
            self._room.notify_all()

    async def leave(self, name: str) -> None:
        """Unload `name` as soon as nobody uses it."""
        entry = self._entries.get(name)
        if entry is None or name in self.pinned:
            return
        entry.leaving = True
        if entry.leases == 0 and entry.loaded:
            await self._evict(name)

    def resident(self) -> list[Revision]:
        """Loaded revisions, least recently used first."""
        return [entry.revision for entry in self._entries.values() if entry.loaded]

    def in_use(self, name: str) -> int:
        """How many requests hold `name`."""
        entry = self._entries.get(name)
        return entry.leases if entry else 0

    def pin(self, names: Iterable[str]) -> None:
        """These stay. Whoever pins leaves a place for what is not pinned (see `room_for_pins`)."""
        self.pinned = frozenset(names)

    @property
    def room_for_pins(self) -> int:
        """How many may be pinned at most."""
        return max(self.capacity - 1, 0)

    async def _load(self, name: str, entry: _Entry) -> None:
        admitted = False
        try:
            await self._verify(entry.revision)
            await self._take_place()
            admitted = True
            started = time.perf_counter()
            await self._engine.load(name, entry.revision.folder)
        except BaseException:
            self._entries.pop(name, None)
            self._taken -= admitted
            self.counts.failures += 1
            raise
        self.counts.loads += 1
        self._on_load(time.perf_counter() - started)

    async def _take_place(self) -> None:
        """Evict until a place is free, waiting for one when requests hold them all."""
        while self._taken >= self.capacity:
            victim = self._victim()
            if victim is not None:
                await self._evict(victim)
                continue
            async with self._room:
                await self._room.wait_for(lambda: self._victim() or self._taken < self.capacity)
        self._taken += 1

    def _victim(self) -> str | None:
        return next((name for name, entry in self._entries.items() if self._idle(name, entry)), None)

    def _idle(self, name: str, entry: _Entry) -> bool:
        return entry.leases == 0 and entry.loaded and name not in self.pinned

    async def _evict(self, name: str) -> None:
        del self._entries[name]
        self._taken -= 1
        self.counts.evictions += 1
        await self._engine.unload(name)
