"""Builds native/kernel.cpp once per processor with the system's C++ compiler and keeps it in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SOURCES = Path(__file__).with_name("native")
# -fopenmp: the threads are those of the runtime that PyTorch has loaded (the same library name, or a preloaded one).
_FLAGS = ("-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-fopenmp")
_BUILD_SECONDS = 120


def compiler() -> str | None:
    """The C++ compiler's path, or None."""
    return shutil.which("g++") or shutil.which("c++")


def built() -> Path:
    """The shared library, compiled first if need be; OSError or subprocess.SubprocessError where it cannot be."""
    processor = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")), "")
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCES.iterdir()))
    named = os.path.realpath(compiler() or "none")  # its name says its version: a newer one knows more processors
    key = hashlib.sha256(sources + " ".join((*_FLAGS, processor, named)).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cni-lora-server"
    library = folder / f"lora-{key}.so"
    if not library.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _compile(library)
    return library


def _compile(library: Path) -> None:
    found = compiler()
    if found is None:
        raise FileNotFoundError("no C++ compiler")
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / library.name
        command = [found, *_FLAGS, str(_SOURCES / "kernel.cpp"), "-o", str(made)]
        subprocess.run(command, check=True, capture_output=True, timeout=_BUILD_SECONDS)
        made.replace(library)  # atomic: several workers may build at once
