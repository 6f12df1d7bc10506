"""Follows the keys file: a new one counts within a look, a broken one changes nothing."""

import logging
from pathlib import Path

from server.auth.keys import KeyRing, read_keys

log = logging.getLogger("server.keys")
_Stamp = tuple[int, int, int]


class KeysFile:
    """`path`: None where no keys are configured; then there is nothing to follow."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen = self._stamp()
        self._said = ""

    def read(self) -> KeyRing:
        """The ring at the start. Raises ValueError, OSError."""
        return read_keys(self._path)

    def changed(self) -> KeyRing | None:
        """A new ring when the file was changed since the last look and is sound, else None."""
        if self._path is None:
            return None
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            ring = read_keys(self._path)
        except ValueError as error:
            self._complain(f"the keys file is broken, the keys before it stay: {error}")
        except OSError as error:
            self._complain(f"{self._path.name} cannot be read, the keys before stay: {error.strerror}")
        else:
            self._said = ""
            log.info("the keys file was read again: %d keys", len(ring))
            return ring
        return None

    def _complain(self, text: str) -> None:
        """Once, however often a file that stays as broken is touched."""
        if text != self._said:
            log.error("%s", text)
        self._said = text

    def _stamp(self) -> _Stamp | None:
        """Of what the path leads to: a mounted secret is exchanged behind a link. None where nothing is."""
        try:
            status = self._path.stat() if self._path else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino) if status else None
