"""One writer at a time over a registry folder, whatever process or server it is in."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = ".lock"


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the registry's lock; the kernel gives it back when a process dies. Blocks. Raises OSError."""
    with (root / LOCK_FILE).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
