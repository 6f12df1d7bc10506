"""What a result says of the machine that it was measured on: cores, memory, processor; never its name or a path."""

import os
from pathlib import Path
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    """`cores`, `memory_gib` and `processor` of this machine."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "processor": _processor(),
    }


def _processor() -> str:
    """The processor's name; with the vector instructions that matter here, as virtual machines hide the model."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip()}
    flags = found.get("flags", "").split()
    notable = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16") if flag in flags]
    family = f"family {found.get('cpu family', '?')} model {found.get('model', '?')}"
    return f"{found.get('model name', 'unknown')} ({family}; {', '.join(notable)})"
