"""Where a revision may come from besides an upload: a folder under the import root, or an allowed remote prefix."""

import shutil
from pathlib import Path

from adapters.registry.contents import Taken
from adapters.registry.errors import NoSource
from adapters.registry.folder import copy_adapter
from adapters.registry.limits import SizeLimits
from adapters.registry.remote import fetch_remote, is_remote
from server.errors import Forbidden, NotHere
from server.patterns import PLACE, climbs, is_under, parse_list
from server.settings import Settings


def fetch(source: str, staging: Path, settings: Settings, limits: SizeLimits) -> Taken:
    """Copy the adapter at `source` into `staging`. Raises ServerError, RegistryError."""
    target = staging / "content"
    if is_remote(source):
        allowed = parse_list(settings.remote_sources)
        if climbs(source) or not any(is_under(source, prefix) for prefix in allowed):
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


def fetch_by_name(name: str, staging: Path, settings: Settings, limits: SizeLimits) -> Taken:
    """Copy the adapter that the first of SERVER_ON_DEMAND's patterns finds. Raises NotHere, ServerError, RegistryError.

    `name` is an adapter's name (adapters.registry.scan.is_name).
    """
    for pattern in parse_list(settings.on_demand):
        try:
            return fetch(pattern.replace(PLACE, name), staging, settings, limits)
        except (NotHere, NoSource):
            shutil.rmtree(staging / "content", ignore_errors=True)
    raise NotHere("No source has an adapter of this name.")
