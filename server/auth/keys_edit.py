"""Changes of the keys file: one at a time, whole or not at all, readable by its owner only."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server.auth.keys import Key, read_keys

Entries = list[dict[str, Any]]


def add_key(path: Path, key: Key) -> None:
    """Append a key to a file, which is made when absent. Raises ValueError, OSError."""

    def add(entries: Entries) -> Entries:
        if any(entry["id"] == key.id for entry in entries):
            raise ValueError(f"{path.name} has a key {key.id!r} already")
        return [*entries, key.model_dump(mode="json", exclude_none=True)]

    _edit(path, add)


def revoke_key(path: Path, name: str) -> None:
    """Take a key out of a file; running servers follow it. Raises ValueError, OSError."""

    def drop(entries: Entries) -> Entries:
        left = [entry for entry in entries if entry["id"] != name]
        if len(left) == len(entries):
            raise ValueError(f"{path.name} has no key {name!r}")
        return left

    if not path.is_file():
        raise ValueError(f"there is no keys file {path.name}")
    _edit(path, drop)


def _edit(path: Path, change: Callable[[Entries], Entries]) -> None:
    path = path.resolve()  # a link stays one
    with _alone(path):
        entries: Entries = []
        if path.exists():
            read_keys(path)  # what is broken is not written over
            entries = json.loads(path.read_text(encoding="utf-8"))["keys"]
        text = json.dumps({"keys": change(entries)}, indent=1) + "\n"
        scratch = path.with_name(f".{path.name}.new")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two commands at once would each write what the other one did not see."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
