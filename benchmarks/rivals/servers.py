"""The servers that `benchmarks.rivals.today` compares: ours as `make up` serves the base, and the rivals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.models import EMBEDDED, Models, in_eight_bits
from benchmarks.harness.preload import preloaded
from benchmarks.harness.served_base import served_base
from benchmarks.harness.services import registry, server_command

OURS, BF16, BASE_ALONE = "ours, INT8 base", "ours, bf16 base", "vLLM, base alone"
_ENOUGH = ["--max-model-len", "1024"]  # 350 and 150 tokens


@dataclass(frozen=True)
class Server:
    """Its name in the results, its command, its port, and what is added to its environment.

    `settles`: seconds that it goes on computing after an answer, with which the next one must not be measured.
    """

    name: str
    command: list[str]
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    settles: float = 0.0


def ours(folder: Path, shape: str, models: Models, threads: int, port: int) -> Iterator[Server]:
    """On the base in eight bits, the default where the processor computes with them, and in bfloat16."""
    adapters = registry(folder, models.adapters[0])
    int8 = Path(served_base().folder) if shape == EMBEDDED else in_eight_bits(models.base, folder)
    for place, (name, base) in enumerate({OURS: int8, BF16: models.base}.items()):
        options = ("--model-name", models.base.name, *_ENOUGH, "--kv-cache-gib", "1")
        command = server_command(base, adapters, port + place, *options)
        yield Server(name, command, port + place, _bound(threads))


def vllm_alone(models: Models, threads: int, port: int) -> Server:
    """vLLM with nothing of ours and no LoRA, with which it compiles the model: the base alone, in bfloat16.

    Its documentation wants tcmalloc and libiomp5 preloaded and the cores named, so it has them.
    """
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(models.base), *_ENOUGH]
    command += ["--served-model-name", "bench", "--dtype", "bfloat16"]
    command += ["--no-enable-prefix-caching", "--port", str(port)]
    environment = {"VLLM_PLUGINS": "", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "WARNING",
                   "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", "LD_PRELOAD": preloaded()}  # fmt: skip
    # Its processes wait for each other's messages by spinning for a second (docs/lab-notes.md).
    return Server(BASE_ALONE, command, port, environment | _bound(threads), settles=1.2)


def peft(models: Models, threads: int, port: int) -> Server:
    """transformers' `generate` with the adapter, in batches of what waits."""
    command = [sys.executable, "-m", "benchmarks.rivals.workers.peft", str(models.base), str(models.adapters[0])]
    offline = {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    return Server("PEFT bfloat16", [*command, "bfloat16", str(threads), str(port)], port, offline)


def _bound(threads: int) -> dict[str, str]:
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return {"VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores))}
