"""Many adapters on one base under Zipf traffic: is everything answered, is memory bounded and flat, what do loads cost?

Writes `--count` random r=16 adapters (q_proj, v_proj, bfloat16) for `--base` into the registry that a running server
follows, asks them by Zipf's law, and prints one JSON line. Needs a server started with that registry (keys: none).
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from adapters import machine

CONFIG = {
    "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 16, "lora_alpha": 32, "lora_dropout": 0.0, "bias": "none",
    "target_modules": ["q_proj", "v_proj"], "modules_to_save": None,
}  # fmt: skip


def main() -> None:
    """Parse, write, ask, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_adapters", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--registry", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--exponent", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write(arguments)
    print(json.dumps(asyncio.run(measure(arguments))))


def write(arguments: argparse.Namespace) -> None:
    """The adapters, each in a folder of its own, complete before it has its name."""
    from safetensors.numpy import save_file

    from adapters.registry.base_model import read_base

    base = read_base(arguments.base)
    targets = {n: s for n, s in base.modules.items() if n.endswith(("q_proj", "v_proj")) and s}
    config = json.dumps({**CONFIG, "base_model_name_or_path": arguments.base.name})
    for index in range(arguments.count):
        final = arguments.registry / f"zipf{index:04d}"
        if final.exists():
            continue
        rng = np.random.default_rng(arguments.seed + index)
        tensors = {}
        for name, (out, into) in targets.items():
            for side, shape in (("A", (16, into)), ("B", (out, 16))):
                values = rng.standard_normal(shape, dtype=np.float32).astype(np.float16) * np.float16(0.02)
                tensors[f"base_model.model.{name}.lora_{side}.weight"] = values
        scratch = arguments.registry / f".{final.name}"
        scratch.mkdir(exist_ok=True)
        save_file(tensors, scratch / "adapter_model.safetensors")
        (scratch / "adapter_config.json").write_text(config)
        scratch.rename(final)


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ask; every request must be answered by the adapter that it names."""
    rng = random.Random(arguments.seed)
    weights = [1 / (rank + 1) ** arguments.exponent for rank in range(arguments.count)]
    picks = rng.choices(range(arguments.count), weights, k=arguments.requests)
    limit, seconds, failed, memory = asyncio.Semaphore(arguments.concurrency), [], [], []
    async with httpx.AsyncClient(base_url=arguments.url, timeout=300) as client:
        await followed(client, arguments.count)
        before = await metrics(client)
        began = time.perf_counter()

        async def one(index: int) -> None:
            async with limit:
                name, started = f"zipf{index:04d}", time.perf_counter()
                body = {"model": name, "prompt": "CARTE NATIONALE D'IDENTITE 1\n", "max_tokens": 8}
                answer = await client.post("/v1/completions", json=body)
                seconds.append(time.perf_counter() - started)
                if answer.status_code != 200 or not answer.json()["model"].startswith(f"{name}@"):
                    failed.append(answer.status_code)

        async def watch() -> None:
            while True:
                memory.append(total(await metrics(client), "cni_server_process_resident_memory_bytes"))
                await asyncio.sleep(3)

        watching = asyncio.create_task(watch())
        await asyncio.gather(*(one(index) for index in picks))
        elapsed = time.perf_counter() - began
        watching.cancel()
        after = await metrics(client)
    hits = (
        after['cni_server_adapter_lookups_total{result="hit"}']
        - before['cni_server_adapter_lookups_total{result="hit"}']
    )
    half = len(memory) // 2
    return {
        "benchmark": "many_adapters",
        "machine": machine.describe(),
        "adapters": arguments.count,
        "requests": arguments.requests,
        "failed": len(failed),
        "requests_per_second": round(arguments.requests / elapsed, 1),
        "distinct": len(set(picks)),
        "hit_rate": round(hits / arguments.requests, 3),
        "latency_ms": {p: round(1000 * q(seconds, p)) for p in (50, 95, 99)},
        "load_ms": {
            p: round(1000 * histogram(before, after, "cni_server_adapter_load_seconds", p / 100)) for p in (50, 95)
        },
        "loads": after["cni_server_adapter_loads_total"] - before["cni_server_adapter_loads_total"],
        "evictions": after["cni_server_adapter_evictions_total"] - before["cni_server_adapter_evictions_total"],
        "places_in_memory": after['cni_server_tier_capacity{tier="memory"}'],
        "memory_gb": {
            "first_half_max": round(max(memory[:half] or memory) / 1e9, 3),
            "second_half_max": round(max(memory[half:]) / 1e9, 3),
        },
        "seed": arguments.seed,
    }


async def followed(client: httpx.AsyncClient, count: int) -> None:
    """Until the server lists all of them."""
    for _ in range(120):
        if total(await metrics(client), 'cni_server_adapters{tier="disk"}') >= count:
            return
        await asyncio.sleep(1)
    raise SystemExit("the server does not follow this registry")


async def metrics(client: httpx.AsyncClient) -> dict[str, float]:
    """Every sample by its name with labels."""
    lines = (await client.get("/metrics")).text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}


def total(samples: dict[str, float], prefix: str) -> float:
    """Sum over a metric's labels."""
    return sum(value for name, value in samples.items() if name.startswith(prefix))


def q(values: list[float], percent: int) -> float:
    """A percentile."""
    return statistics.quantiles(values, n=100)[percent - 1]


def histogram(before: dict[str, float], after: dict[str, float], name: str, share: float) -> float:
    """A quantile's upper bucket bound, seconds."""
    count = after[f"{name}_count"] - before[f"{name}_count"]
    for sample, value in after.items():
        if sample.startswith(f"{name}_bucket") and value - before.get(sample, 0) >= share * count:
            return float(sample.split('le="')[1].split('"')[0].replace("+Inf", "inf"))
    return float("nan")


if __name__ == "__main__":
    main()
