"""Folders that are being filled, and which of them a dead process left behind.

Each holds a locked file for as long as its process lives: the kernel knows better than process numbers, which every
container gives out anew and which two containers of one name share.
"""

import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.registry.lock import try_lock

INCOMING = ".incoming"
_ALIVE = ".alive"
# Without a lock that can be asked (an older version's folder, a file system without locks) age decides.
_FOREIGN_SECONDS = 24 * 3600


@contextmanager
def staging(root: Path) -> Iterator[Path]:
    """A folder on the registry's file system that is gone at the end, whatever happens. Raises OSError."""
    # Made under another name: `clean` must not find it before its lock is held.
    scratch = root / INCOMING / f".{uuid.uuid4().hex}"
    folder = scratch.with_name(scratch.name[1:])
    scratch.mkdir(parents=True)
    try:
        with (scratch / _ALIVE).open("w") as alive:
            held = _held(alive)
            if not held:
                (scratch / _ALIVE).unlink()
            scratch.rename(folder)
            yield folder
    finally:
        for left in (scratch, folder):
            shutil.rmtree(left, ignore_errors=True)


def clean_staging(root: Path) -> None:
    """Remove what dead processes left. Raises OSError."""
    for left in (root / INCOMING).glob("*"):
        if _is_dead(left):
            shutil.rmtree(left, ignore_errors=True)


def _held(alive: object) -> bool:
    try:
        return try_lock(alive)  # type: ignore[arg-type]
    except OSError:
        return False


def _is_dead(folder: Path) -> bool:
    if folder.name.startswith("."):
        return _is_old(folder)
    try:
        with (folder / _ALIVE).open("r+") as alive:
            return try_lock(alive)
    except OSError:
        return _is_old(folder)


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > _FOREIGN_SECONDS
    except OSError:
        return False
