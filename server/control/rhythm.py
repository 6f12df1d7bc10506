"""How often each adapter is asked at which time of day: what was asked at this hour yesterday comes again today."""

import heapq
from array import array
from collections.abc import Callable

_SLOTS = 48  # of half an hour
_SLOT_SECONDS = 24 * 3600 / _SLOTS
_AROUND = 2  # slots to either side count as well: people are not punctual
_KEPT = 0.5  # of a day's count a day later
_MOST_NAMES = 20_000


class Rhythm:
    """`clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._days: dict[str, array[float]] = {}
        self._slot = self._now()

    def asked(self, name: str) -> None:
        """A request for `name`."""
        self._turn()
        if name not in self._days:
            if len(self._days) >= _MOST_NAMES:
                kept = heapq.nlargest(_MOST_NAMES // 2, self._days, key=lambda other: sum(self._days[other]))
                self._days = {other: self._days[other] for other in kept}
            self._days[name] = array("f", bytes(4 * _SLOTS))
        self._days[name][self._slot % _SLOTS] += 1.0

    def expected(self, name: str) -> float:
        """How many requests days before had for it, around this time."""
        self._turn()
        day = self._days.get(name)
        if day is None:
            return 0.0
        return sum(day[(self._slot + offset) % _SLOTS] for offset in range(-_AROUND, _AROUND + 1))

    def names(self) -> list[str]:
        """Who has been asked."""
        return list(self._days)

    def _turn(self) -> None:
        """When a slot begins, what it held of the days before counts less."""
        now = self._now()
        if now <= self._slot:
            return
        days, slots = divmod(now - self._slot, _SLOTS)
        for day in self._days.values():
            for slot in range(_SLOTS) if days else ():
                day[slot] *= _KEPT**days
            for slot in range(now - slots + 1, now + 1):
                day[slot % _SLOTS] *= _KEPT
        self._slot = now

    def _now(self) -> int:
        return int(self._clock() // _SLOT_SECONDS)
