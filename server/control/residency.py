"""Which adapters are in the engine's memory: loaded at their first request or ahead of it, the least popular leave.

The engine has a cache of its own; this one is a little smaller and decides alone, so that nothing leaves that a
request holds, and every load, hit and eviction is seen. Who gets a place and who makes room: places.py.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from adapters.registry.catalogue import Revision
from server.control.engine import LoraEngine
from server.control.entry import Entry
from server.control.forecast import Forecast
from server.control.lease import Lease
from server.control.loads import Check, Loads
from server.control.observer import Observer
from server.control.places import Places
from server.control.seats import PATIENCE_SECONDS, Seats
from server.tiers import Room


class Residency:
    """`room`: for adapters in memory. `verify` runs before a revision's load, `prove` after it, each may refuse.

    `patience`: see places.py.
    """

    def __init__(
        self,
        engine: LoraEngine,
        room: Room,
        seats: Seats,
        verify: Check,
        prove: Check,
        observer: Observer,
        forecast: Forecast,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.seats = seats
        self.observer = observer
        self.forecast = forecast
        self._engine = engine
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._places = Places(room, self._entries, self._popular, self._make_room, patience)
        self._loads = Loads(engine, self._places, self._entries, verify, prove, observer, self._settle)

    async def acquire(self, revision: Revision) -> Lease:
        """Return once `revision` is loaded; concurrent first requests share one load. Raises Refused."""
        name = revision.public_name
        await self._places.let_drain(name)
        entry = self._entries.get(name)
        self.observer.looked_up(hit=entry is not None)
        self.forecast.asked(revision.adapter, name)
        if entry is not None and entry.foreseen:
            entry.foreseen = False
            self.observer.foreseen(revision)
        return await self._hold(revision, None)

    async def load_ahead(self, revision: Revision, bonus: float = 0.0) -> bool:
        """Load what somebody will ask, unless that would push out what is more popular. Raises Refused.

        `bonus`: how many requests its announcement counts for. Whether it was loaded by this.
        """
        if revision.public_name in self._entries or not self._places.has_room(Entry(revision, ahead=bonus)):
            return False
        try:
            lease = await self._hold(revision, bonus)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return False  # the place was another's in the end
        await lease.release()
        return True

    async def leave(self, name: str) -> None:
        """Unload `name` as soon as nobody uses it."""
        entry = self._entries.get(name)
        if entry is None or name in self.pinned:
            return
        entry.leaving = True
        await self._settle(entry)

    async def pin(self, names: Iterable[str]) -> None:
        """Exactly these keep memory and slot from now on, or from their load on. At most `room_for_pins`."""
        before, self._places.pinned = self.pinned, frozenset(names)
        self.seats.pin(self.pinned)
        for name in before - self.pinned:
            await self._engine.unpin(name)
        for name in self.pinned - before:
            await self._engine.pin(name)
        self._places.changed.fire()

    async def resize(self, room: Room) -> None:
        """Let adapters take more memory from now on, or less."""
        await self._places.resize(room)

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
    def pinned(self) -> frozenset[str]:
        """Names that keep memory and slot."""
        return self._places.pinned

    @property
    def room(self) -> Room:
        """For adapters in memory, now."""
        return self._places.room

    @property
    def capacity(self) -> int:
        """How many adapters that is, about."""
        return self._places.capacity

    @property
    def waiting(self) -> int:
        """Loads that wait for a place."""
        return len(self._places.queue)

    @property
    def room_for_pins(self) -> int:
        """How many may be pinned at most: one place in memory and one slot are left for all others."""
        return max(min(self.room.surely, self.seats.slots) - 1, 0)

    async def _hold(self, revision: Revision, ahead: float | None) -> Lease:
        name = revision.public_name
        entry = self._entries.get(name)
        if entry is None:
            entry = self._entries[name] = Entry(revision, ahead=ahead)
            # A task of its own: the first caller may go away, the others still wait for the load.
            entry.task = self._loads.start(entry)
        else:
            self._entries.move_to_end(name)
            if ahead is None:
                entry.ahead = None
        entry.leases += 1
        entry.leaving = False
        lease = Lease(entry, self.seats, self._give_back)
        try:
            assert entry.task is not None
            await asyncio.shield(entry.task)
        except BaseException:
            await lease.release()
            raise
        return lease

    async def _give_back(self, entry: Entry) -> None:
        entry.leases -= 1
        if entry.leases == 0 and entry.queued and entry.task is not None:
            # Nobody waits for it any longer: its turn is another's.
            self._loads.drop(entry)
            entry.task.cancel()
        await self._settle(entry)

    async def _settle(self, entry: Entry) -> None:
        """Evict what was to leave, if nobody may be asking it, and let the queue look again."""
        if entry.leaving and entry.free and self._entries.get(entry.name) is entry:
            await self._evict(entry)
        self._places.changed.fire()

    def _popular(self, entry: Entry) -> float:
        return self.forecast.of(entry.revision.adapter, entry.name)

    async def _evict(self, entry: Entry) -> None:
        del self._entries[entry.name]
        try:
            await self._loads.unload(entry, "left")
        finally:
            # Only now: until the engine has forgotten it, its place is taken.
            self._places.give(entry)

    async def _make_room(self, entries: list[Entry]) -> None:
        await asyncio.gather(*(self._loads.unload(entry, "room") for entry in entries))
