"""Copies an adapter out of a folder: its content and what describes it, nothing that could run."""

import shutil
from pathlib import Path

from adapters.registry.contents import Taken, check_weights, is_wanted
from adapters.registry.errors import Refused
from adapters.registry.limits import SizeLimits


def copy_adapter(folder: Path, target: Path, limits: SizeLimits) -> Taken:
    """Copy the adapter in `folder` into the new folder `target`. Raises Refused, OSError."""
    target.mkdir()
    left = limits.bytes
    everything = sorted(folder.iterdir())
    files = [path for path in everything if is_wanted(path.name) and path.is_file()]
    if len(files) > limits.files:
        raise Refused("archive-files", f"The folder holds more than {limits.files} files.")
    for path in files:
        if path.is_symlink() and not path.resolve().is_relative_to(folder):
            raise Refused("archive-link", f"{path.name!r} is a link that leads out of the folder.")
        left -= path.stat().st_size
        if left < 0:
            raise Refused("archive-size", f"The folder holds more than {limits.bytes >> 20} MiB.")
        shutil.copyfile(path, target / path.name)
    taken = {path.name for path in files}
    left_out = tuple(path.name for path in everything if path.name not in taken)
    check_weights(taken, left_out)
    return Taken(target, left_out)
