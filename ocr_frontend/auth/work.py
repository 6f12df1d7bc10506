"""For whom the current task works, until when, and whether somebody waits. Set once a request."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """key: the caller's key id; ends: on `time.monotonic()`'s scale; background: nobody waits, so people come first."""

    key: str = ""
    ends: float = float("inf")
    background: bool = False

    def left(self, seconds: float = float("inf")) -> float:
        """Seconds until the deadline of the whole, at most `seconds`, at least 0."""
        return max(0.0, min(seconds, self.ends - time.monotonic()))


_NOBODY = Work()
_current: ContextVar[Work] = ContextVar("work")


def current() -> Work:
    """What the running task works for; outside of any request somebody without a name and a deadline."""
    return _current.get(_NOBODY)


@contextmanager
def working(work: Work) -> Iterator[Work]:
    """Inside the block, and in tasks and threads begun there, `current` gives `work`."""
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)
