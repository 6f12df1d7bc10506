"""Places in the engine's memory: how many, who gets the next one, who makes room.

Whoever finds no place waits in a queue, first come first served. Requests of adapters that are loaded may pass it, but
not for ever: once the first in the queue has lost its patience, the least popular adapter gets no new requests until it
is gone.
"""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

from server.control.entry import Entry
from server.control.signal import Signal
from server.tiers import Room

Unload = Callable[[list[Entry]], Awaitable[None]]


class Places:
    """`room`: how much there is; `entries`: what is there or on its way, least recently used first; `popularity`: of
    an entry; `unload`: takes entries out of the engine; `patience`: seconds that the first in the queue lets pass.
    """

    def __init__(
        self,
        room: Room,
        entries: OrderedDict[str, Entry],
        popularity: Callable[[Entry], float],
        unload: Unload,
        patience: float,
    ) -> None:
        self.room = room
        self.pinned: frozenset[str] = frozenset()
        self.changed = Signal()
        self.queue: deque[Entry] = deque()
        self._entries = entries
        self._popularity = popularity
        self._unload = unload
        self._patience = patience
        self._taken = 0  # places: what is loaded, and what was let in to load
        self._bytes = 0

    @property
    def capacity(self) -> int:
        """How many adapters there is room for, of the size of those that are there."""
        if not self.room.bytes:
            return self.room.most
        size = self._bytes / self._taken if self._taken else self.room.largest
        return max(min(self.room.most, int(self.room.bytes / max(size, 1))), self._taken, 1)

    async def take(self, entry: Entry) -> None:
        """Wait for this entry's turn, then take a place, free or others'. CancelledError: nobody waits for it."""
        self.queue.append(entry)
        entry.queued, entry.since = True, asyncio.get_running_loop().time()
        drained: list[Entry] = []
        try:
            while (victims := self._victims_for(entry)) is None:
                if entry.leases == 0 or entry.ahead is not None:
                    raise asyncio.CancelledError
                await self._wait_for_turn(entry, drained)
        finally:
            for other in drained:
                other.draining = False
            self.queue.remove(entry)
            entry.queued = False
            self.changed.fire()
        await self._hand_over(entry, victims)

    def give(self, entry: Entry) -> None:
        """Its place is free."""
        if entry.placed:
            self._taken, self._bytes = self._taken - 1, self._bytes - entry.charge
            entry.placed, entry.charge = False, 0
        self.changed.fire()

    async def resize(self, room: Room) -> None:
        """As much room from now on; who is too many leaves, as far as nobody asks it."""
        self.room = room
        victims = self._victims(0, 0)
        if victims is None:
            victims = self._idle()
        for entry in victims:
            self._forget(entry)
        if victims:
            try:
                await self._unload(victims)
            finally:
                for entry in victims:
                    self.give(entry)
        self.changed.fire()

    async def let_drain(self, name: str) -> None:
        """Wait while `name` makes room for another: whoever comes now has to queue behind it."""
        while (entry := self._entries.get(name)) is not None and entry.draining and name not in self.pinned:
            await self.changed.wait()

    def has_room(self, entry: Entry) -> bool:
        """Whether an entry that is loaded ahead would get a place at once, without pushing out a more popular one."""
        return not self.queue and self._worth(entry, self._victims(1, self.room.charge(entry.revision.size)))

    def _victims_for(self, entry: Entry) -> list[Entry] | None:
        """Who makes room for it, if it may go now."""
        if self.queue[0] is not entry:
            return None
        victims = self._victims(1, self.room.charge(entry.revision.size))
        return victims if entry.ahead is None or self._worth(entry, victims) else None

    def _worth(self, entry: Entry, victims: list[Entry] | None) -> bool:
        if victims is None:
            return False
        return sum(map(self._popularity, victims)) < self._popularity(entry) + (entry.ahead or 0.0) if victims else True

    def _victims(self, count: int, size: int) -> list[Entry] | None:
        """The least popular ones that leave room for `count` more of `size` bytes; None where that cannot be."""
        taken, used = self._taken + count, self._bytes + size
        victims: list[Entry] = []
        if self._fits(taken, used):
            return victims
        # Of equals the least recently used one: entries are kept in that order.
        idle = [(self._worth_keeping(entry), place, entry) for place, entry in enumerate(self._idle())]
        heapq.heapify(idle)
        while idle:
            victim = heapq.heappop(idle)[2]
            victims.append(victim)
            taken, used = taken - 1, used - victim.charge
            if self._fits(taken, used):
                return victims
        return None

    def _worth_keeping(self, entry: Entry) -> float:
        """Where bytes count, a large one must be asked as much more often."""
        popularity = self._popularity(entry)
        return popularity / max(entry.charge, 1) if self.room.bytes else popularity

    def _fits(self, taken: int, used: int) -> bool:
        return taken <= self.room.most and (not self.room.bytes or used <= self.room.bytes or taken <= 1)

    def _idle(self) -> list[Entry]:
        return [entry for name, entry in self._entries.items() if entry.free and name not in self.pinned]

    async def _hand_over(self, entry: Entry, victims: list[Entry]) -> None:
        """Nothing may happen between choice and unloading. What the victims leave over is free only after it."""
        entry.charge = self.room.charge(entry.revision.size)
        freed = sum(victim.charge for victim in victims)
        entry.placed = True
        self._taken += 0 if victims else 1
        self._bytes += max(entry.charge - freed, 0)
        for victim in victims:
            self._forget(victim)
        if not victims:
            return
        try:
            await self._unload(victims)
        finally:
            self._taken -= len(victims) - 1
            self._bytes -= max(freed - entry.charge, 0)
            self.changed.fire()

    def _forget(self, entry: Entry) -> None:
        del self._entries[entry.name]

    async def _wait_for_turn(self, entry: Entry, drained: list[Entry]) -> None:
        """Until something changes, or the first in the queue has no patience left; `drained`: what drains for it."""
        for other in [other for other in drained if not self._can_drain(other)]:
            other.draining = False
            drained.remove(other)
        impatient = self.queue[0] is entry and all(other.free for other in drained)
        try:
            async with asyncio.timeout_at(entry.since + self._patience if impatient else None):
                await self.changed.wait()
        except TimeoutError:
            # The change that is waited for may have come at this very moment.
            if self._victims_for(entry) is not None:
                return
            busy = [other for other in self._entries.values() if self._can_drain(other) and other not in drained]
            if not busy:
                await self.changed.wait()
                return
            least = min(busy, key=self._popularity)
            least.draining = True
            drained.append(least)

    def _can_drain(self, entry: Entry) -> bool:
        return entry.loaded and entry.name not in self.pinned and self._entries.get(entry.name) is entry
