"""Where a revision may come from besides an upload: a folder under the import root, or an allowed remote prefix."""

from pathlib import Path
from urllib.parse import unquote

from adapters.registry.contents import Taken
from adapters.registry.folder import copy_adapter
from adapters.registry.limits import SizeLimits
from adapters.registry.remote import fetch_remote, is_remote
from server.errors import Forbidden, NotHere
from server.settings import Settings


def fetch(source: str, staging: Path, settings: Settings, limits: SizeLimits) -> Taken:
    """Copy the adapter at `source` into `staging`. Raises ServerError, RegistryError."""
    target = staging / "content"
    if is_remote(source):
        allowed = [prefix.strip() for prefix in settings.remote_sources.split(",") if prefix.strip()]
        # Decoded as a web server would, twice too: what climbs out of a prefix is none of it.
        climbs = any(".." in text for text in (source, unquote(source), unquote(unquote(source))))
        if climbs or not any(_is_under(source, prefix) for prefix in allowed):
            raise Forbidden("This source is under no prefix of SERVER_REMOTE_SOURCES.")
        return fetch_remote(source, target, limits)
    root = settings.import_root
    if root is None:
        raise Forbidden("This server registers no folders: SERVER_IMPORT_ROOT is not set.")
    # Resolved before it is compared: a link inside the root may lead out of it.
    folder = (root / source).resolve()
    if not folder.is_relative_to(root.resolve()):
        raise Forbidden("This path is not under SERVER_IMPORT_ROOT.")
    if not folder.is_dir():
        raise NotHere("There is no such folder under SERVER_IMPORT_ROOT.")
    return copy_adapter(folder, target, limits)


def _is_under(source: str, prefix: str) -> bool:
    """Whether `source` is the prefix or lies in it: `s3://models` does not stand for `s3://models-of-others`."""
    return source == prefix or source.startswith(prefix if prefix.endswith("/") else f"{prefix}/")
