"""The embedded base in the form in which `make up` serves it here."""

from __future__ import annotations

from pathlib import Path

from adapters import bases, embedded
from adapters.quantize.form import Ready, ready
from adapters.settings import Settings
from benchmarks.harness.frame import say


def served_base() -> Ready:
    """In eight bits where the processor computes with them (made once into the cache), else as it is."""
    settings = Settings()
    original = bases.resolve(bases.EMBEDDED, settings)
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return ready("auto", original, embedded.NAME, settings.cache, say, cpuinfo)
