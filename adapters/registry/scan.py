"""What lies in a registry folder (docs/decisions/0002). Reads names and never judges; a damaged one is found too."""

import re
from dataclasses import dataclass
from pathlib import Path

from adapters.registry.digest import CONFIG_FILE, WEIGHTS_FILE, content_digest, revision_name

_REVISION = re.compile(r"^[0-9a-f]{12}$")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


@dataclass(frozen=True, order=True)
class Found:
    """A revision's place. `time`: the weights' modification time in ns, 0 where there are none."""

    adapter: str
    revision: str
    folder: Path
    time: int
    size: int


def is_name(name: str) -> bool:
    """Whether an adapter may be called `name`."""
    return _NAME.match(name) is not None


Names = dict[tuple[Path, int, int], str]


def scan(root: Path, names: Names | None = None) -> list[Found]:
    """All revisions under `root`, adapters by name, each adapter's revisions from old to new.

    `names` remembers the digests of adapters without a revision's folder, by path, time and size: a caller that
    scans again and again passes the same one.
    """
    names = {} if names is None else names
    folders = sorted(path for path in root.iterdir() if path.is_dir() and _NAME.match(path.name))
    return [item for folder in folders for item in _scan_folder(folder, names)]


def scan_adapter(root: Path, name: str) -> list[Found]:
    """One adapter's revisions, without a look at the others; none where it is not there."""
    folder = root / name
    return _scan_folder(folder, {}) if is_name(name) and folder.is_dir() else []


def _scan_folder(folder: Path, names: Names) -> list[Found]:
    if (folder / CONFIG_FILE).is_file():
        return [_found(folder.name, _flat_revision(folder, names), folder)]
    revisions = [path for path in folder.iterdir() if _REVISION.match(path.name) and path.is_dir()]
    return sorted(
        (_found(folder.name, path.name, path) for path in revisions if (path / CONFIG_FILE).is_file()),
        key=lambda item: (item.time, item.revision),
    )


def _flat_revision(folder: Path, names: Names) -> str:
    """The name of a revision that lies in its adapter's folder itself; zeros where it is too broken to have one."""
    try:
        status = (folder / WEIGHTS_FILE).stat()
        key = (folder, status.st_mtime_ns, status.st_size)
        if key not in names:
            names[key] = revision_name(content_digest(folder))
        return names[key]
    except (OSError, ValueError):
        return "0" * 12


def _found(adapter: str, revision: str, folder: Path) -> Found:
    try:
        status = (folder / WEIGHTS_FILE).stat()
    except OSError:
        return Found(adapter, revision, folder, 0, 0)
    return Found(adapter, revision, folder, status.st_mtime_ns, status.st_size)
