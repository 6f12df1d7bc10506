"""What every result file says of the run that made it: its code, when, beside how much else, with what, and where."""

from __future__ import annotations

import os
import subprocess
import time
from importlib import metadata
from typing import Any

from adapters import machine

# What a figure of this project can depend on beside its own code; those that are not installed are left out.
_PACKAGES = ("vllm", "torch", "transformers", "peft", "onnxruntime", "paddleocr")


def stamp() -> dict[str, Any]:
    """`commit`, `date` (UTC), `load_average` of the last minute, `versions` by package, and `machine`.

    Taken before the run, so that the load is what else the machine did; `commit` ends in `-dirty` where files differed.
    """
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "commit": done.stdout.strip() or "unknown",
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "load_average": round(os.getloadavg()[0], 1),
        "versions": _versions(),
        "machine": machine.describe(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
