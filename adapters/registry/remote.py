"""Remote sources: fsspec's file systems (s3://, gs://, …) and hubs (hf://owner/name). Fetched, never executed."""

from pathlib import Path, PurePosixPath
from typing import Any

from adapters.registry.contents import Taken, check_weights, is_wanted
from adapters.registry.digest import CONFIG_FILE
from adapters.registry.errors import NoSource, Refused, SourceError
from adapters.registry.limits import SizeLimits

_CHUNK = 1 << 20


def is_remote(source: str) -> bool:
    """Whether `source` is an address rather than a path."""
    return "://" in source


def fetch_remote(source: str, target: Path, limits: SizeLimits) -> Taken:
    """Copy the adapter at `source` into the new folder `target`. Raises SourceError, Refused.

    s3:// needs s3fs and gs:// gcsfs (the extra `remote`); hf:// comes with huggingface_hub.
    """
    import fsspec

    target.mkdir()
    try:
        system, root = fsspec.core.url_to_fs(source)
        # File systems are kept by fsspec, and their listings with them: what was uploaded since would not be seen.
        system.invalidate_cache()
        # Object stores may list a folder in itself.
        here = root.strip("/")
        entries = [entry for entry in system.ls(root, detail=True) if entry["name"].strip("/") != here]
        wanted = [entry for entry in entries if entry["type"] == "file" and is_wanted(_name(entry))]
        taken = {_name(entry) for entry in wanted}
        left_out = tuple(sorted({_name(entry) for entry in entries} - taken))
        _check(wanted, taken, left_out, limits)
        _copy(system, wanted, target, limits)
    except (Refused, SourceError):
        raise
    except ImportError as error:
        scheme = source.partition("://")[0]
        text = f"Sources of the kind {scheme}:// need a package that is not installed: install the extra 'remote'."
        raise SourceError(text) from error
    # Every file system has exceptions of its own, and their texts hold addresses and credentials.
    except Exception as error:
        raise _failure(error) from error
    return Taken(target, left_out)


def _check(wanted: list[dict[str, Any]], taken: set[str], left_out: tuple[str, ...], limits: SizeLimits) -> None:
    """What the listing alone says."""
    check_weights(taken, left_out)
    if CONFIG_FILE not in taken:
        raise Refused("config-missing", f"The source holds no {CONFIG_FILE}.")
    if len(wanted) > limits.files:
        raise Refused("archive-files", f"The source holds more than {limits.files} files.")
    if sum(entry.get("size") or 0 for entry in wanted) > limits.bytes:
        raise _too_large(limits)


def _copy(system: Any, entries: list[dict[str, Any]], target: Path, limits: SizeLimits) -> None:
    """Counts what comes: a listing's sizes are claims."""
    left = limits.bytes
    for entry in entries:
        before = left
        with system.open(entry["name"], "rb") as source, (target / _name(entry)).open("xb") as file:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise _too_large(limits)
                file.write(chunk)
        size = entry.get("size")
        if size is not None and before - left != size:
            raise SourceError(f"{_name(entry)} came with {before - left} of {size} bytes; try again.")


def _too_large(limits: SizeLimits) -> Refused:
    return Refused("archive-size", f"The source holds more than {limits.bytes >> 20} MiB.")


def _failure(error: Exception) -> SourceError:
    """By the exception's type alone."""
    kind = type(error).__name__
    if isinstance(error, FileNotFoundError) or "NotFound" in kind:
        return NoSource("There is nothing at this source, or nothing that these credentials may see.")
    if isinstance(error, PermissionError) or "Credential" in kind or "Gated" in kind:
        return SourceError("This source may not be read with these credentials.")
    if "Offline" in kind:
        return SourceError("No hub is asked: this process runs with HF_HUB_OFFLINE set.")
    if isinstance(error, ConnectionError | TimeoutError) or "Connect" in kind or "Timeout" in kind:
        return SourceError(f"The source cannot be reached ({kind}).")
    return SourceError(f"The source cannot be read ({kind}).")


def _name(entry: dict[str, Any]) -> str:
    return PurePosixPath(entry["name"]).name
