"""How much is inside at once: requests, and bytes of uploads. One key leaves room for the others."""

import ctypes
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.cgroup import memory_limit
from ocr_frontend.auth.keys import Key
from ocr_frontend.errors import Busy, RateLimited

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Places:
    """total: held at once, by all keys. share: of it that one key may hold, asked each time."""

    def __init__(self, total: int, share: Callable[[], float], full: str) -> None:
        self._total, self._share, self._full = total, share, full
        self._held: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """By all keys."""
        return self._held.total()

    @contextmanager
    def take(self, key: Key, count: int = 0) -> Iterator["Hold"]:
        """Hold `count`, and more by `Hold.add`, until the block ends. Raises what `Hold.add` raises."""
        hold = Hold(self, key)
        try:
            hold.add(count)
            yield hold
        finally:
            hold.release()

    def change(self, key: Key, count: int) -> None:
        """Raises Busy where all together hold too much, RateLimited where this key does."""
        if count > 0:
            if self.held + count > self._total:
                raise Busy(self._full)
            if self._held[key.id] + count > max(1, self._total * self._share()):
                raise RateLimited("This key holds its share of the service; wait until some of its requests end.", 1)
        self._held[key.id] += count
        if not self._held[key.id]:
            del self._held[key.id]


class Hold:
    """What one request holds of some places."""

    def __init__(self, places: Places, key: Key) -> None:
        self._places, self._key, self._count = places, key, 0

    def add(self, count: int) -> None:
        """Raises Busy or RateLimited; then nothing was added."""
        self._places.change(self._key, count)
        self._count += count

    def release(self) -> None:
        """Give all of it back."""
        self._places.change(self._key, -self._count)
        self._count = 0


class MemoryGuard:
    """limit: resident bytes of this process above which no picture is taken; 0: 90 % of the container's limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit or int(0.9 * (memory_limit() or 0))

    def check(self) -> None:
        """Raises Busy. What the C library keeps of freed memory is given back first."""
        if not self.limit or _resident() <= self.limit:
            return
        with suppress(OSError, AttributeError):  # not glibc
            ctypes.CDLL(None).malloc_trim(0)
        if _resident() > self.limit:
            raise Busy("The service uses as much memory as it may; try again when other images are read.")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
