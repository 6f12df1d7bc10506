"""One writer at a time, whichever process or server it is in."""

import errno
import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from adapters.registry.errors import Busy

LOCK_FILE = ".lock"
_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.02


@contextmanager
def writing(root: Path, patience: float = _PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the registry's lock; the kernel gives it back when a process dies. Raises OSError, Busy.

    Blocks for `patience` seconds at most: a command line that somebody suspended must not stop every server for good.
    """
    with (root / LOCK_FILE).open("a") as file:
        deadline = time.monotonic() + patience
        while not try_lock(file):
            if time.monotonic() > deadline:
                raise Busy(f"Another process holds {LOCK_FILE} of the registry for more than {patience:.0f} s.")
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def try_lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed; False when another process has it. Raises OSError."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True
