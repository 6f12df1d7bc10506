"""Remote sources: fsspec's file systems (s3://, gs://, …) and hubs (hf://owner/name). Fetched, never executed."""

from pathlib import Path, PurePosixPath
from typing import Any

from adapters.registry.errors import Refused, SourceError
from adapters.registry.folder import is_wanted
from adapters.registry.limits import SizeLimits

_CHUNK = 1 << 20


def is_remote(source: str) -> bool:
    """Whether `source` is an address rather than a path."""
    return "://" in source


def fetch_remote(source: str, target: Path, limits: SizeLimits) -> Path:
    """Copy the adapter at `source` into the new folder `target`. Raises SourceError, Refused.

    `hf://` needs huggingface_hub, which registers itself with fsspec; other schemes need their fsspec package.
    """
    import fsspec

    target.mkdir()
    try:
        system, root = fsspec.core.url_to_fs(source)
        entries = [entry for entry in system.ls(root, detail=True) if entry["type"] == "file"]
        _copy(system, [e for e in entries if is_wanted(_name(e))], target, limits)
    except Refused:
        raise
    except ImportError as error:
        scheme = source.partition("://")[0]
        raise SourceError(f"Sources of the kind {scheme}:// need a package that is not installed.") from error
    # Every file system has exceptions of its own, and their texts hold addresses and credentials.
    except Exception as error:
        raise SourceError(f"The source cannot be read ({type(error).__name__}).") from error
    return target


def _copy(system: Any, entries: list[dict[str, Any]], target: Path, limits: SizeLimits) -> None:
    if len(entries) > limits.files:
        raise Refused("archive-files", f"The source holds more than {limits.files} files.")
    left = limits.bytes
    for entry in entries:
        with system.open(entry["name"], "rb") as source, (target / _name(entry)).open("xb") as file:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise Refused("archive-size", f"The source holds more than {limits.bytes >> 20} MiB.")
                file.write(chunk)


def _name(entry: dict[str, Any]) -> str:
    return PurePosixPath(entry["name"]).name
