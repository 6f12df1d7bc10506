"""What an adapter costs on a CPU: base, adapter with our CPU LoRA, adapter with vLLM's own, in alternating rounds.

    python -m benchmarks.lora_tax --shape smollm2-135m --concurrency 1 8 32

`processor` figures (seconds of all threads) are to be read where other work shares the cores: use --threads 1 for them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from adapters import machine
from benchmarks.lora_engine import BASE, SHAPES, Engine, Spent, write_models

_SAMPLES = dict[tuple[str, int], list[Spent]]


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = _measure(args, Path(folder))
    result = {
        "benchmark": "lora_tax",
        "shape": args.shape,
        "weights": "random",
        "threads": args.threads,
        "rounds": args.rounds,
        "seed": args.seed,
        "decode": [_row(samples, concurrency) for concurrency in args.concurrency],
        "machine": machine.describe(),
    }
    print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lora_tax", description=__doc__)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="smollm2-135m", help="default: %(default)s")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8, 32], help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=24, help="tokens per answer (default: %(default)s)")
    parser.add_argument("--prompt", type=int, default=32, help="tokens per prompt (default: %(default)s)")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", type=int, default=cores, help="OpenMP threads (default: every core)")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights (default: %(default)s)")
    return parser


def _measure(args: argparse.Namespace, folder: Path) -> _SAMPLES:
    models = write_models(folder, args.shape, adapters=1, seed=args.seed)
    samples: _SAMPLES = {}
    options: dict[str, Any] = {"threads": args.threads, "prompt": args.prompt}
    with Engine(models, plugin=True, **options) as ours, Engine(models, plugin=False, **options) as stock:
        variants = [("base", ours, BASE), ("ours", ours, 0), ("stock", stock, 0)]
        for round_ in range(args.rounds + 1):  # the first warms up and does not count
            for concurrency in args.concurrency:
                for name, engine, adapter in variants if round_ % 2 else variants[::-1]:
                    spent = engine.decode([adapter] * concurrency, args.tokens)
                    if round_:
                        samples.setdefault((name, concurrency), []).append(spent)
                        print(f"round {round_} concurrency {concurrency} {name}: {spent}", file=sys.stderr)
    return samples


def _row(samples: _SAMPLES, concurrency: int) -> dict[str, Any]:
    row: dict[str, Any] = {"concurrency": concurrency}
    for clock in ("wall", "processor"):
        base, ours, stock = (
            statistics.median(getattr(spent, clock) for spent in samples[name, concurrency])
            for name in ("base", "ours", "stock")
        )
        row[clock] = {
            "ms_per_token": {"base": _ms(base), "ours": _ms(ours), "stock": _ms(stock)},
            "adapter_over_base_throughput": round(base / ours, 3),
            "stock_adapter_over_base_throughput": round(base / stock, 3),
            "ours_over_stock_throughput": round(stock / ours, 3),
        }
    return row


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


if __name__ == "__main__":
    sys.exit(main())
