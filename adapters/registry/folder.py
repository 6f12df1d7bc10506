"""Copies an adapter out of a folder: its content and what describes it, nothing that could run."""

import shutil
from pathlib import Path

from adapters.registry.digest import CONFIG_FILE, MANIFEST_FILE, WEIGHTS_FILE
from adapters.registry.errors import Refused
from adapters.registry.limits import SizeLimits

CONTENT = (CONFIG_FILE, WEIGHTS_FILE, MANIFEST_FILE)
_BESIDE = frozenset({".json", ".md", ".png", ".csv", ".svg"})


def is_wanted(name: str) -> bool:
    """Whether a file belongs to a revision: its content, or a plot or table of it."""
    return name in CONTENT or (Path(name).suffix.lower() in _BESIDE and not name.startswith("."))


def copy_adapter(folder: Path, target: Path, limits: SizeLimits) -> Path:
    """Copy the adapter in `folder` into the new folder `target`. Raises Refused, OSError."""
    target.mkdir()
    left = limits.bytes
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and is_wanted(path.name)]
    if len(files) > limits.files:
        raise Refused("archive-files", f"The folder holds more than {limits.files} files.")
    for path in files:
        if path.is_symlink() and not path.resolve().is_relative_to(folder):
            raise Refused("archive-link", f"{path.name!r} is a link that leads out of the folder.")
        left -= path.stat().st_size
        if left < 0:
            raise Refused("archive-size", f"The folder holds more than {limits.bytes >> 20} MiB.")
        shutil.copyfile(path, target / path.name)
    pickles = [path.name for path in folder.iterdir() if path.name in {"adapter_model.bin", "pytorch_model.bin"}]
    if pickles and not (target / WEIGHTS_FILE).exists():
        raise Refused("pickle", f"{pickles[0]} is a pickle, which can run code; only safetensors are taken.")
    return target
