"""How often each adapter is asked, old requests counting less and less: what is asked seldom makes room first.

"Least recently used" alone forgets what is asked all day as soon as many rare ones pass by. A count that halves every
hour keeps both: a newcomer that is asked again and again passes, in an hour, one that was popular this morning.
"""

import heapq
from collections.abc import Callable

_HALF_LIFE_SECONDS = 3600.0
_MOST_NAMES = 20_000


class Popularity:
    """`clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], half_life: float = _HALF_LIFE_SECONDS) -> None:
        self._clock = clock
        self._half_life = half_life
        self._counts: dict[str, tuple[float, float]] = {}  # the count, and when it was that much

    def asked(self, name: str) -> None:
        """A request for `name`."""
        now = self._clock()
        self._counts[name] = (self._at(name, now) + 1.0, now)
        if len(self._counts) > _MOST_NAMES:
            self._forget(now)

    def of(self, name: str) -> float:
        """How many requests it counts for now."""
        return self._at(name, self._clock())

    def _at(self, name: str, now: float) -> float:
        count, then = self._counts.get(name, (0.0, now))
        return float(count * 0.5 ** ((now - then) / self._half_life))

    def _forget(self, now: float) -> None:
        """The less popular half."""
        kept = heapq.nlargest(_MOST_NAMES // 2, self._counts, key=lambda name: self._at(name, now))
        self._counts = {name: self._counts[name] for name in kept}
