"""How much memory this process may still take: the machine's, or less where a container has a limit (cgroup v2)."""

from collections.abc import Iterator
from pathlib import Path

import psutil

_MOUNT, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available_memory(mount: Path = _MOUNT, own: Path = _OWN) -> int:
    """Bytes. Files that are not there, or say `max`, limit nothing."""
    left = [room for group in _groups(mount, own) if (room := _room(group)) is not None]
    return max(0, min([psutil.virtual_memory().available, *left]))


def _groups(mount: Path, own: Path) -> Iterator[Path]:
    """Our group and those above it: each may have a limit. In a container ours is usually the mount itself."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    path = next((line[len("0::") :].lstrip("/") for line in lines if line.startswith("0::")), None)
    if path is None:  # cgroup v1
        return
    group = mount / path
    yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mount))


def _room(group: Path) -> int | None:
    """Limit less use. Files that the kernel keeps in memory and can drop are no use."""
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit == "max":
            return None
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return int(limit) - used + int(statistics.get("inactive_file", 0))
    except (OSError, ValueError):
        return None
