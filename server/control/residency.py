"""Which adapters are in the engine's memory: loaded at their first request, the least popular ones leave.

The engine has a cache of its own; this one is a little smaller and decides alone, so that nothing leaves that a
request holds, and every load, hit and eviction is seen.

Whoever finds no place waits in a queue, first come first served. Requests of adapters that are loaded may pass it, but
not for ever: once the first in the queue has lost its patience, the least popular adapter gets no new requests until it
is gone.
"""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from adapters.registry.catalogue import Revision
from server.control.engine import LoraEngine
from server.control.observer import Observer
from server.control.popularity import Popularity
from server.control.seats import PATIENCE_SECONDS, Seats
from server.control.signal import Signal

Check = Callable[[Revision], Awaitable[None]]
log = logging.getLogger("server.residency")


@dataclass(eq=False)
class _Entry:
    """`placed`: it has one of the places; `queued`: it waits for one, since `since`.

    `draining`: it is to make room and takes no new requests.
    """

    revision: Revision
    task: asyncio.Task[None] | None = None
    leases: int = 0
    leaving: bool = False
    placed: bool = False
    queued: bool = False
    since: float = 0.0
    draining: bool = False

    @property
    def loaded(self) -> bool:
        return self.task is not None and self.task.done() and not self.task.cancelled() and not self.task.exception()

    @property
    def free(self) -> bool:
        return self.leases == 0 and self.loaded


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
    """`capacity`: adapters in memory. `verify` runs before a revision's load, `prove` after it, each may refuse.

    `patience`: seconds that the first in the queue lets others pass.
    """

    def __init__(
        self,
        engine: LoraEngine,
        capacity: int,
        seats: Seats,
        verify: Check,
        prove: Check,
        observer: Observer,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity = capacity
        self.seats = seats
        self.observer = observer
        self.pinned: frozenset[str] = frozenset()
        self._engine = engine
        self._verify = verify
        self._prove = prove
        self._patience = patience
        self._popularity = Popularity(clock)
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._changed = Signal()
        self._queue: deque[_Entry] = deque()
        self._taken = 0  # places: what is loaded, and what was let in to load
        self._tasks: set[asyncio.Task[None]] = set()  # asyncio itself keeps them weakly

    async def acquire(self, revision: Revision) -> Lease:
        """Return once `revision` is loaded; concurrent first requests share one load. Raises Refused."""
        name = revision.public_name
        await self._let_drain(name)
        entry = self._entries.get(name)
        self.observer.looked_up(hit=entry is not None)
        self._popularity.asked(name)
        if entry is None:
            entry = self._entries[name] = _Entry(revision)
            # A task of its own: the first caller may go away, the others still wait for the load.
            entry.task = self._start(self._load(name, entry))
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
        if entry.leases == 0 and entry.queued and entry.task is not None:
            # Nobody waits for it any longer: its turn is another's.
            self._drop(entry)
            entry.task.cancel()
        await self.settle(entry)

    async def settle(self, entry: _Entry) -> None:
        """Evict what was to leave, if nobody may be asking it, and let the queue look again."""
        name = entry.revision.public_name
        if entry.leaving and entry.free and self._entries.get(name) is entry:
            await self._evict(name, "left")
        self._changed.fire()

    async def leave(self, name: str) -> None:
        """Unload `name` as soon as nobody uses it."""
        entry = self._entries.get(name)
        if entry is None or name in self.pinned:
            return
        entry.leaving = True
        await self.settle(entry)

    async def pin(self, names: Iterable[str]) -> None:
        """Exactly these keep memory and slot from now on, or from their load on. At most `room_for_pins`."""
        before, self.pinned = self.pinned, frozenset(names)
        self.seats.pin(self.pinned)
        for name in before - self.pinned:
            await self._engine.unpin(name)
        for name in self.pinned - before:
            await self._engine.pin(name)
        self._changed.fire()

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
    def waiting(self) -> int:
        """Loads that wait for a place."""
        return len(self._queue)

    @property
    def room_for_pins(self) -> int:
        """How many may be pinned at most: one place in memory and one slot are left for all others."""
        return max(min(self.capacity, self.seats.slots) - 1, 0)

    async def _load(self, name: str, entry: _Entry) -> None:
        loaded = False
        try:
            await self._verify(entry.revision)
            await self._take_place(entry)
            started = time.perf_counter()
            await self._engine.load(name, entry.revision.folder)
            loaded, seconds = True, time.perf_counter() - started
            await self._prove(entry.revision)
            self.observer.loaded(entry.revision, seconds)
        except BaseException as error:
            await self._undo(name, entry, loaded)
            if not isinstance(error, asyncio.CancelledError):
                self.observer.failed(entry.revision, error)
            raise
        if name in self.pinned:
            await self._pin_loaded(name)
        # Whoever waits for a place may take this one, if all who asked for it have gone away meanwhile.
        asyncio.get_running_loop().call_soon(lambda: self._start(self.settle(entry)))

    async def _undo(self, name: str, entry: _Entry, loaded: bool) -> None:
        """Leave nothing of a load that failed: no entry, no place, nothing in the engine."""
        self._drop(entry)
        try:
            if loaded:
                await self._engine.unload(name)
        except Exception as error:
            log.error("%s could not be unloaded: %s", name, type(error).__name__)
        finally:
            self._taken -= entry.placed
            entry.placed = False
            self._changed.fire()

    async def _pin_loaded(self, name: str) -> None:
        try:
            await self._engine.pin(name)
        except Exception as error:
            # It answers all the same, from whatever slot it gets.
            log.error("%s could not be pinned: %s", name, type(error).__name__)

    async def _take_place(self, entry: _Entry) -> None:
        """Wait for this entry's turn, then take a place that is free or another adapter's."""
        self._queue.append(entry)
        entry.queued, entry.since = True, asyncio.get_running_loop().time()
        drained: _Entry | None = None
        try:
            while not self._may_go(entry):
                if entry.leases == 0:
                    raise asyncio.CancelledError  # nobody waits for it any longer
                drained = await self._wait_for_turn(entry, drained)
        finally:
            if drained is not None:
                drained.draining = False
            self._queue.remove(entry)
            entry.queued = False
            self._changed.fire()
        entry.placed = True
        if self._taken < self.capacity:
            self._taken += 1
        elif victim := self._victim():
            # Its place goes over as it is. Nothing may happen between the choice and the unloading.
            await self._unload(victim, "room")

    def _may_go(self, entry: _Entry) -> bool:
        return self._queue[0] is entry and (self._taken < self.capacity or self._victim() is not None)

    async def _wait_for_turn(self, entry: _Entry, drained: _Entry | None) -> _Entry | None:
        """Until something changes, or the first in the queue has no patience left; what drains for it."""
        if drained is not None and not self._can_drain(drained):
            drained.draining, drained = False, None
        impatient = self._queue[0] is entry and drained is None
        try:
            async with asyncio.timeout_at(entry.since + self._patience if impatient else None):
                await self._changed.wait()
        except TimeoutError:
            # The change that is waited for may have come at this very moment.
            if self._may_go(entry):
                return None
            busy = (other for other in self._entries.values() if self._can_drain(other))
            drained = min(busy, key=lambda other: self._popularity.of(other.revision.public_name), default=None)
            if drained is None:
                await self._changed.wait()
            else:
                drained.draining = True
        return drained

    def _can_drain(self, entry: _Entry) -> bool:
        name = entry.revision.public_name
        return entry.loaded and name not in self.pinned and self._entries.get(name) is entry

    async def _let_drain(self, name: str) -> None:
        """Wait while `name` makes room for another: whoever comes now has to queue behind it."""
        while (entry := self._entries.get(name)) is not None and entry.draining and name not in self.pinned:
            await self._changed.wait()

    def _victim(self) -> str | None:
        idle = (name for name, entry in self._entries.items() if entry.free and name not in self.pinned)
        # Of equals the least recently used one: entries are kept in that order.
        return min(idle, key=self._popularity.of, default=None)

    def _drop(self, entry: _Entry) -> None:
        name = entry.revision.public_name
        if self._entries.get(name) is entry:
            del self._entries[name]

    async def _evict(self, name: str, reason: str) -> None:
        try:
            await self._unload(name, reason)
        finally:
            # Only now: until the engine has forgotten it, its place is taken.
            self._taken -= 1
            self._changed.fire()

    async def _unload(self, name: str, reason: str) -> None:
        entry = self._entries.pop(name)
        self.observer.evicted(entry.revision, reason)
        await self._engine.unload(name)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # A failed load that nobody waits for any longer is known already: no warning of asyncio's about it.
            task.exception()
