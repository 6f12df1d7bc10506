"""Who makes room, by the books and as the server does it: each says of one request after the other whether it hit."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Protocol

Trace = Sequence[tuple[float, int]]


class Policy(Protocol):
    """One simulated memory."""

    def hit(self, adapter: int, now: float) -> bool:
        """A request at `now` (seconds); afterwards the adapter is there."""


def belady(trace: Trace, places: int) -> float:
    """Share of the second half's requests that miss if always the one makes room that is asked last of all."""
    never = len(trace)
    coming, last = array("l", bytes(8 * len(trace))), dict[int, int]()
    for index in range(len(trace) - 1, -1, -1):
        coming[index] = last.get(trace[index][1], never)
        last[trace[index][1]] = index
    loaded: dict[int, int] = {}
    farthest: list[tuple[int, int]] = []
    misses = 0
    for index, (_, adapter) in enumerate(trace):
        if adapter not in loaded:
            misses += index >= len(trace) // 2
            while len(loaded) >= places:
                when, other = heapq.heappop(farthest)
                if loaded.get(other) == -when:
                    del loaded[other]
        loaded[adapter] = coming[index]
        heapq.heappush(farthest, (-coming[index], adapter))
    return round(misses / (len(trace) // 2), 3)


class LeastRecent:
    """Least recently used."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._loaded: OrderedDict[int, None] = OrderedDict()

    def hit(self, adapter: int, now: float) -> bool:
        """See Policy."""
        found = adapter in self._loaded
        self._loaded[adapter] = None
        self._loaded.move_to_end(adapter)
        if len(self._loaded) > self._places:
            self._loaded.popitem(last=False)
        return found


class Arc:
    """Adaptive replacement cache (Megiddo and Modha, 2003): recent and frequent ones, shares as ghosts ask."""

    def __init__(self, places: int) -> None:
        self._places, self._wanted = places, 0
        self._once, self._often = OrderedDict[int, None](), OrderedDict[int, None]()
        self._once_ghosts, self._often_ghosts = OrderedDict[int, None](), OrderedDict[int, None]()

    def hit(self, adapter: int, now: float) -> bool:
        """See Policy."""
        if adapter in self._once or adapter in self._often:
            self._once.pop(adapter, None)
            self._often[adapter] = None
            self._often.move_to_end(adapter)
            return True
        once, often = len(self._once_ghosts), len(self._often_ghosts)
        if adapter in self._once_ghosts:
            self._wanted = min(self._places, self._wanted + max(1, often // once))
            self._again(self._once_ghosts, adapter)
        elif adapter in self._often_ghosts:
            self._wanted = max(0, self._wanted - max(1, once // often))
            self._again(self._often_ghosts, adapter)
        else:
            self._first(adapter)
        return False

    def _again(self, ghosts: OrderedDict[int, None], adapter: int) -> None:
        self._replace(adapter)
        del ghosts[adapter]
        self._often[adapter] = None

    def _first(self, adapter: int) -> None:
        seen = len(self._once) + len(self._once_ghosts)
        whole = seen + len(self._often) + len(self._often_ghosts)
        if seen == self._places and len(self._once) == self._places:
            self._once.popitem(last=False)
        elif whole >= self._places:
            if seen == self._places:
                self._once_ghosts.popitem(last=False)
            elif whole == 2 * self._places:
                self._often_ghosts.popitem(last=False)
            if len(self._once) + len(self._often) >= self._places:
                self._replace(adapter)
        self._once[adapter] = None

    def _replace(self, adapter: int) -> None:
        over = len(self._once) > self._wanted or (adapter in self._often_ghosts and len(self._once) == self._wanted)
        recent = bool(self._once) and (over or not self._often)
        source, ghosts = (self._once, self._once_ghosts) if recent else (self._often, self._often_ghosts)
        ghosts[source.popitem(last=False)[0]] = None


class S3Fifo:
    """Three queues (Yang and others, 2023): a tenth for newcomers, who get on by being asked again, and ghosts."""

    def __init__(self, places: int) -> None:
        self._places, self._newcomers = places, max(1, places // 10)
        self._small, self._main, self._ghosts = (
            OrderedDict[int, None](),
            OrderedDict[int, None](),
            OrderedDict[int, None](),
        )
        self._asked: Counter[int] = Counter()

    def hit(self, adapter: int, now: float) -> bool:
        """See Policy."""
        if adapter in self._small or adapter in self._main:
            self._asked[adapter] = min(3, self._asked[adapter] + 1)
            return True
        while len(self._small) + len(self._main) >= self._places:
            self._evict()
        self._asked[adapter] = 0
        known = adapter in self._ghosts
        self._ghosts.pop(adapter, None)
        (self._main if known else self._small)[adapter] = None
        return False

    def _evict(self) -> None:
        if self._small and (len(self._small) >= self._newcomers or not self._main):
            other, _ = self._small.popitem(last=False)
            if self._asked[other] > 1:
                self._main[other] = None
                self._asked[other] = 0
                return
            self._ghosts[other] = None
            if len(self._ghosts) > self._places:
                self._ghosts.popitem(last=False)
            return
        other, _ = self._main.popitem(last=False)
        if self._asked[other]:
            self._asked[other] -= 1
            self._main[other] = None


class TinyLfu:
    """W-TinyLFU (Einziger and others, 2017), counts exact: newcomers get in if asked more than who would go."""

    def __init__(self, places: int) -> None:
        self._window, self._main = max(1, places // 100), places - max(1, places // 100)
        self._new, self._probation, self._kept = (
            OrderedDict[int, None](),
            OrderedDict[int, None](),
            OrderedDict[int, None](),
        )
        self._counts: Counter[int] = Counter()
        self._seen, self._sample = 0, 10 * places

    def hit(self, adapter: int, now: float) -> bool:
        """See Policy."""
        self._count(adapter)
        if adapter in self._new or adapter in self._kept:
            (self._new if adapter in self._new else self._kept).move_to_end(adapter)
            return True
        if adapter in self._probation:
            del self._probation[adapter]
            self._kept[adapter] = None
            if len(self._kept) > self._main * 4 // 5:
                self._probation[self._kept.popitem(last=False)[0]] = None
            return True
        self._new[adapter] = None
        if len(self._new) > self._window:
            self._admit(self._new.popitem(last=False)[0])
        return False

    def _count(self, adapter: int) -> None:
        self._counts[adapter] += 1
        self._seen += 1
        if self._seen >= self._sample:
            self._counts = Counter({name: count // 2 for name, count in self._counts.items() if count > 1})
            self._seen //= 2

    def _admit(self, adapter: int) -> None:
        if len(self._probation) + len(self._kept) >= self._main:
            source = self._probation or self._kept
            victim = next(iter(source))
            if self._counts[adapter] <= self._counts[victim]:
                return
            del source[victim]
        self._probation[adapter] = None


class Counted:
    """The least popular by a count that halves, as server/control/popularity.py counts."""

    def __init__(self, places: float, half_life: float, sizes: Sequence[float] = ()) -> None:
        self._places, self._half_life, self._sizes = places, half_life, sizes
        self._counts: dict[int, tuple[float, float]] = {}
        self._loaded: set[int] = set()
        self._used = 0.0

    def hit(self, adapter: int, now: float) -> bool:
        """See Policy."""
        self.note(adapter, now)
        if adapter in self._loaded:
            return True
        while self._used + self.size(adapter) > self._places:
            self._drop(min(self._loaded, key=lambda other: self.popularity(other, now) / self.size(other)))
        self._load(adapter)
        return False

    def note(self, adapter: int, now: float) -> None:
        """Count a request."""
        self._counts[adapter] = (Counted.popularity(self, adapter, now) + 1, now)

    def popularity(self, adapter: int, now: float) -> float:
        """How many requests it counts for."""
        count, then = self._counts.get(adapter, (0.0, now))
        return float(count * 0.5 ** ((now - then) / self._half_life))

    def size(self, adapter: int) -> float:
        """Of the memory: one place, or MiB."""
        return self._sizes[adapter] if self._sizes else 1.0

    def _load(self, adapter: int) -> None:
        self._loaded.add(adapter)
        self._used += self.size(adapter)

    def _drop(self, adapter: int) -> None:
        self._loaded.remove(adapter)
        self._used -= self.size(adapter)


class Rhythmic(Counted):
    """The last hour and, beside it, what this time of day had on the days before (server/control/rhythm.py)."""

    _SLOTS, _AROUND, _KEPT, _LOOK = 48, 2, 0.5, 60.0

    def __init__(self, places: float, sizes: Sequence[float] = (), ahead: bool = False) -> None:
        super().__init__(places, 3600, sizes)
        self._ahead = ahead
        self._days: dict[int, array[float]] = {}
        self._slot, self._looked = 0, 0.0

    def hit(self, adapter: int, now: float) -> bool:
        """See Policy."""
        if self._ahead and now - self._looked >= self._LOOK:
            self._looked = now
            self._look_ahead(now)
        return super().hit(adapter, now)

    def note(self, adapter: int, now: float) -> None:
        """Count a request."""
        super().note(adapter, now)
        slot = int(now // (24 * 3600 / self._SLOTS))
        for begun in range(self._slot + 1, slot + 1):
            for day in self._days.values():
                day[begun % self._SLOTS] *= self._KEPT
        self._slot = slot
        self._days.setdefault(adapter, array("f", bytes(4 * self._SLOTS)))[slot % self._SLOTS] += 1

    def popularity(self, adapter: int, now: float) -> float:
        """How many requests it counts for."""
        return super().popularity(adapter, now) + self._expected(adapter)

    def _expected(self, adapter: int) -> float:
        day = self._days.get(adapter)
        around = range(self._slot - self._AROUND, self._slot + self._AROUND + 1)
        return sum(day[slot % self._SLOTS] for slot in around) if day else 0.0

    def _look_ahead(self, now: float) -> None:
        """As server/control/ahead.py: eight at a look, each in the place of one that is less popular."""
        missing = heapq.nlargest(8, (name for name in self._days if name not in self._loaded), key=self._expected)
        for adapter in missing:
            least = min(self._loaded, key=lambda other: self.popularity(other, now))
            if self._used + self.size(adapter) > self._places:
                if self.popularity(least, now) >= self.popularity(adapter, now):
                    return
                self._drop(least)
            self._load(adapter)
