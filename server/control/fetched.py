"""Which adapters were brought on demand, when each was asked last, and which of them leave the disk.

A marker file for each, so that a restart and other servers over the same folder know it too.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from adapters.registry.catalogue import Catalogue

MARKERS = ".on-demand"


class Fetched:
    """In the registry folder `root`, of which they may take `most` bytes. `clock`: seconds since 1970.

    All but `used` touch the disk.
    """

    def __init__(self, root: Path, most: int, clock: Callable[[], float] = time.time) -> None:
        self._folder = root / MARKERS
        self._most = most
        self._clock = clock
        self._used: dict[str, float] = {}

    def used(self, name: str) -> None:
        """Somebody asks for it; written down by `flush`."""
        self._used[name] = self._clock()

    def note(self, name: str) -> None:
        """It was brought now. Raises OSError."""
        self._folder.mkdir(exist_ok=True)
        (self._folder / name).touch()

    def flush(self) -> None:
        """Write down who was used. Raises OSError."""
        used, self._used = self._used, {}
        for name, when in used.items():
            if (self._folder / name).exists():
                os.utime(self._folder / name, (when, when))

    def forget(self, name: str) -> None:
        """It has left. Raises OSError."""
        (self._folder / name).unlink(missing_ok=True)

    def too_many(self, catalogue: Catalogue) -> list[str]:
        """Who is to leave, longest unused first, so that the rest fits. Raises OSError.

        What an operator has pinned or given a second revision is theirs now: it stays, and does not count.
        """
        self.flush()
        sizes = {}
        for name in self._times():
            adapter = catalogue.adapters.get(name)
            if adapter is None or adapter.pinned or len(adapter.revisions) != 1:
                self.forget(name)
            else:
                sizes[name] = sum(revision.size for revision in adapter.revisions.values())
        over, leaving = sum(sizes.values()) - self._most, []
        times = self._times()
        for name in sorted(sizes, key=lambda one: times.get(one, 0.0)):
            if over <= 0:
                break
            leaving.append(name)
            over -= sizes[name]
        return leaving

    def _times(self) -> dict[str, float]:
        if not self._folder.is_dir():
            return {}
        return {entry.name: entry.stat().st_mtime for entry in os.scandir(self._folder)}
