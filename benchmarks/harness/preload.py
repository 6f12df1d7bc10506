"""Engines in child processes start as `python -m server` does: tcmalloc and libiomp5 preloaded where installed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path


def preloaded() -> str:
    """What `python -m server` preloads where it is installed, for every engine alike: tcmalloc and libiomp5."""
    allocators = sorted(Path("/usr/lib").glob("*/libtcmalloc_minimal.so.4"))
    return ":".join(map(str, [*allocators[:1], *Path(sys.prefix, "lib").glob("libiomp5.so")]))


@contextlib.contextmanager
def launched(more: Mapping[str, str] | None = None) -> Iterator[None]:
    """The environment of a child that is started inside: the loader reads LD_PRELOAD when a process begins."""
    kept = os.environ.copy()
    os.environ.update({"LD_PRELOAD": preloaded(), **(more or {})})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
