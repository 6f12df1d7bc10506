"""Writes that a kill at any moment leaves either undone or done.

Every step calls `step(name)` first: a test passes a function that raises there, so that a crash at each step of each
operation is tried, without timing.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

Step = Callable[[str], None]


def no_step(name: str) -> None:
    """The step hook outside tests."""


def fsync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: bytes, step: Step = no_step) -> None:
    """Replace `path` by `content`: write, fsync, rename, fsync the folder."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    step("write")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        step("fsync")
        os.fsync(file.fileno())
    step("rename")
    scratch.rename(path)
    step("fsync-folder")
    fsync_folder(path.parent)


def publish_folder(scratch: Path, final: Path, step: Step = no_step) -> None:
    """Give a finished folder its final name, its files durable before. `final` must not exist."""
    for path in sorted(file for file in scratch.rglob("*") if file.is_file()):
        step("fsync-file")
        with path.open("rb") as file:
            os.fsync(file.fileno())
    fsync_folder(scratch)
    step("make-parent")
    final.parent.mkdir(exist_ok=True)
    fsync_folder(final.parent.parent)
    step("publish")
    scratch.rename(final)
    step("fsync-parent")
    fsync_folder(final.parent)


def retire_folder(folder: Path, trash: Path, step: Step = no_step) -> None:
    """Remove a folder: out of sight by one rename, then file by file."""
    step("retire")
    folder.rename(trash)
    step("fsync-retired")
    fsync_folder(folder.parent)
    step("delete")
    shutil.rmtree(trash)
