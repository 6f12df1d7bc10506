"""What a container leaves this process of the machine: memory and processor time (cgroup v2, and v1's two files).

Both services and `make up` ask it, so it imports the standard library alone until memory is asked for.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_MOUNT, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
# cgroup v1 says "no limit" with a number near the largest that there is.
_NO_LIMIT = 1 << 60


def available_memory(mount: Path = _MOUNT, own: Path = _OWN) -> int:
    """Bytes that this process may still take. Files that are not there, or say `max`, limit nothing."""
    import psutil

    left = [room for group in _groups(mount, own) if (room := _room(group)) is not None]
    left += [room for group in _old_groups(mount, own, "memory") if (room := _old_room(group)) is not None]
    return max(0, min([psutil.virtual_memory().available, *left]))


def memory_limit(mount: Path = _MOUNT, own: Path = _OWN) -> int | None:
    """Bytes that the tightest group around this process may take in all; None where none says."""
    found = [_limit(group / "memory.max") for group in _groups(mount, own)]
    found += [_limit(group / "memory.limit_in_bytes") for group in _old_groups(mount, own, "memory")]
    return min((limit for limit in found if limit is not None), default=None)


def cpu_quota(mount: Path = _MOUNT, own: Path = _OWN) -> float | None:
    """Cores' worth of processor time a second, 2.5 for `250000 100000`; None where nothing limits it."""
    found = [_quota(group, "cpu.max") for group in _groups(mount, own)]
    found += [_quota(group, "cpu.cfs_quota_us", "cpu.cfs_period_us") for group in _old_groups(mount, own, "cpu")]
    return min((quota for quota in found if quota is not None), default=None)


def usable_cores(mount: Path = _MOUNT, own: Path = _OWN) -> int:
    """How many threads of this process can compute at a time."""
    return whole_cores(len(os.sched_getaffinity(0)), cpu_quota(mount, own))


def whole_cores(cores: int, quota: float | None) -> int:
    """All cores that a process may use, or whole cores' worth of a quota; one at least."""
    return cores if quota is None else max(1, min(cores, int(quota)))


def _groups(mount: Path, own: Path) -> Iterator[Path]:
    """Our group and those above it: each may have a limit. In a container ours is usually the mount itself."""
    return _upwards(mount, _path(own, lambda controllers: controllers == ""))


def _old_groups(mount: Path, own: Path, controller: str) -> Iterator[Path]:
    """The same in cgroup v1, where each controller has a tree of its own."""
    return _upwards(mount / controller, _path(own, lambda controllers: controller in controllers.split(",")))


def _path(own: Path, wanted: Callable[[str], bool]) -> str | None:
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    parts = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    return next((path.lstrip("/") for _, controllers, path in parts if wanted(controllers)), None)


def _upwards(mount: Path, path: str | None) -> Iterator[Path]:
    if path is None:
        return
    group = mount / path
    yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mount))


def _limit(file: Path) -> int | None:
    """`max` is no number, and a number near the largest that there is no limit."""
    try:
        limit = int(file.read_text())
    except (OSError, ValueError):
        return None
    return limit if limit < _NO_LIMIT else None


def _room(group: Path) -> int | None:
    """Limit less use. Files that the kernel keeps in memory and can drop are no use."""
    return _left(group, "memory.max", "memory.current", "inactive_file")


def _old_room(group: Path) -> int | None:
    return _left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _left(group: Path, limiting: str, used: str, droppable: str) -> int | None:
    limit = _limit(group / limiting)
    try:
        return None if limit is None else limit - int((group / used).read_text()) + _statistic(group, droppable)
    except (OSError, ValueError):
        return None


def _statistic(group: Path, name: str) -> int:
    statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return int(statistics.get(name, 0))


def _quota(group: Path, *files: str) -> float | None:
    """Time over period, from one file that holds both or from two; `max` and negative numbers limit nothing."""
    try:
        time, period = " ".join((group / name).read_text() for name in files).split()
        return int(time) / int(period) if time != "max" and int(time) > 0 and int(period) > 0 else None
    except (OSError, ValueError):
        return None
