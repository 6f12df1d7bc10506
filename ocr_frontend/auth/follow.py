"""The keys file followed while the service runs: a key that leaves it is refused within seconds, without a restart."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from ocr_frontend.auth.keys import KeyRing, read_keys

log = logging.getLogger("ocr_frontend")


class KeysFile:
    """Looks at `path` every `seconds`. A file that is broken or gone changes nothing and is said once.

    broken: whether the file as it is now cannot be used.
    """

    def __init__(self, ring: KeyRing, path: Path, plain: Sequence[str], seconds: float) -> None:
        self._ring, self._path, self._plain, self._seconds = ring, path, tuple(plain), seconds
        self._seen = self._state()
        self.broken = False

    async def follow(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(self._seconds)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Take the file's keys where it has changed."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            ring = read_keys(self._path, self._plain, may_be_empty=True)
        except ValueError as error:
            self.broken = True
            log.error("keys: %s; the keys of before go on", error)
            return
        self.broken = False
        self._ring.replace(ring)
        log.info("keys: the file has changed; %d keys now", len(ring))

    def _state(self) -> tuple[int, int, int] | None:
        """None where it is gone. A Kubernetes secret changes by a link, and with it the file's number."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
