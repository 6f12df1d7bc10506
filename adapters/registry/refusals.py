"""What loading found wrong with revisions: remembered, and tried again after a while, less and less often.

A refusal by content seldom changes. But a checksum may have failed on a network that dropped bytes, and a golden set at
its floor on one near tie: without an end, each would be a revision lost until somebody restarts the server.
"""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.registry.errors import Refused
from adapters.registry.scan import Found

_FIRST_SECONDS = 300.0
_LONGEST_SECONDS = 6 * 3600.0
# A hiccup is over soon.
_FIRST_TRANSIENT_SECONDS = 1.0
_LONGEST_TRANSIENT_SECONDS = 60.0


@dataclass(frozen=True)
class _Noted:
    refused: Refused
    times: int
    until: float


class Refusals:
    """Changed by one thread; other threads may ask. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._noted: dict[Found, _Noted] = {}

    def note(self, item: Found, refused: Refused) -> float:
        """Remember it; seconds until it is worth another try, twice as many as the last time."""
        before = self._noted.get(item)
        times = before.times + 1 if before and before.refused.transient == refused.transient else 1
        first, longest = (
            (_FIRST_TRANSIENT_SECONDS, _LONGEST_TRANSIENT_SECONDS)
            if refused.transient
            else (_FIRST_SECONDS, _LONGEST_SECONDS)
        )
        wait = float(min(first * 2 ** min(times - 1, 20), longest))
        self._noted[item] = _Noted(refused, times, self._clock() + wait)
        return wait

    def of(self, item: Found) -> Refused | None:
        """Why a revision may not serve; a reason that passes says nothing here."""
        noted = self._noted.get(item)
        return None if noted is None or noted.refused.transient else noted.refused

    def wait(self, item: Found) -> float:
        """Seconds until a load is worth trying again after one that failed for a moment, 0 where there was none."""
        noted = self._noted.get(item)
        return max(noted.until - self._clock(), 0.0) if noted and noted.refused.transient else 0.0

    def due(self) -> list[Found]:
        """What was refused so long ago that it should be tried again."""
        now = self._clock()
        return [item for item, noted in list(self._noted.items()) if not noted.refused.transient and noted.until <= now]

    def forget(self, item: Found) -> None:
        """It passed."""
        self._noted.pop(item, None)

    def keep(self, present: set[Found]) -> None:
        """Only what is still there is remembered."""
        for item in list(self._noted):
            if item not in present:
                self._noted.pop(item, None)
