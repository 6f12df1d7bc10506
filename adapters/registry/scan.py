"""What lies in a registry folder (docs/decisions/0002). Reads names and never judges; a damaged one is found too."""

import re
from dataclasses import dataclass
from pathlib import Path

from adapters.registry.contents import CONTENT
from adapters.registry.digest import CONFIG_FILE, WEIGHTS_FILE, content_digest, revision_name

NAMELESS = "0" * 12  # the revision of what is too broken to have a name by its content
_REVISION = re.compile(r"^[0-9a-f]{12}\Z")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")

Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True, order=True)
class Found:
    """A revision's place. `time`: the weights' modification time in ns, 0 where there are none; `size`: their bytes.

    `stamp`: time and size of each content file, so that a file that was changed where it lies is another find.
    """

    adapter: str
    revision: str
    folder: Path
    time: int
    size: int
    stamp: Stamp = ()


@dataclass(frozen=True)
class Scan:
    """What was found. `unlisted`: adapters whose folders could not be listed, with the reason."""

    found: list[Found]
    unlisted: dict[str, OSError]


def is_name(name: str) -> bool:
    """Whether an adapter may be called `name`."""
    return _NAME.match(name) is not None


Names = dict[tuple[Path, Stamp], str]


def scan(root: Path, names: Names | None = None) -> Scan:
    """All revisions under `root`, adapters by name, each adapter's revisions by file time. Raises OSError for `root`.

    `names` remembers the digests of adapters without a revision's folder, by path, times and sizes: a caller that
    scans again and again passes the same one.
    """
    names = {} if names is None else names
    found: list[Found] = []
    unlisted: dict[str, OSError] = {}
    for folder in sorted(path for path in root.iterdir() if _NAME.match(path.name) and path.is_dir()):
        try:
            found += _scan_folder(folder, names)
        except FileNotFoundError:
            continue  # another server deleted it at this moment
        except OSError as error:
            unlisted[folder.name] = error
    return Scan(found, unlisted)


def scan_adapter(root: Path, name: str) -> list[Found]:
    """One adapter's revisions, without a look at the others; none where it is not there. Raises OSError."""
    folder = root / name
    return _scan_folder(folder, {}) if is_name(name) and folder.is_dir() else []


def in_order(found: list[Found], registered: dict[str, str]) -> list[Found]:
    """From old to new: as they were registered, then what was laid down by hand, by its files' times."""
    places = {revision: place for place, revision in enumerate(registered)}
    return sorted(found, key=lambda item: (places.get(item.revision, len(places)), item.time, item.revision))


def _scan_folder(folder: Path, names: Names) -> list[Found]:
    if (folder / CONFIG_FILE).is_file():
        return [_found(folder.name, folder, names)]
    revisions = [path for path in folder.iterdir() if _REVISION.match(path.name) and path.is_dir()]
    found = [_found(folder.name, path, None) for path in revisions if (path / CONFIG_FILE).is_file()]
    return in_order(found, {})


def _found(adapter: str, folder: Path, names: Names | None) -> Found:
    """`names` None: the folder carries the revision's name."""
    stamp = tuple(_look(folder / name) for name in CONTENT)
    revision = folder.name if names is None else _flat_revision(folder, stamp, names)
    time, size = stamp[CONTENT.index(WEIGHTS_FILE)]
    return Found(adapter, revision, folder, time, size, stamp)


def _look(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _flat_revision(folder: Path, stamp: Stamp, names: Names) -> str:
    """The name of a revision that lies in its adapter's folder itself."""
    key = (folder, stamp)
    try:
        if key not in names:
            names[key] = revision_name(content_digest(folder))
        return names[key]
    except OSError:
        return NAMELESS  # for a moment, perhaps: not remembered
    except Exception:
        # Whatever a file makes a parser raise: the catalogue says why, of this adapter alone.
        names[key] = NAMELESS
        return NAMELESS
