"""Different adapters in one batch on a CPU, ours and vLLM's own: does a batch of many cost more than a batch of one?

    python -m benchmarks.mixed_adapters --shape smollm2-135m --different 1 2 4 8 16

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
from benchmarks.lora_engine import SHAPES, Engine, Spent, write_models

_SAMPLES = dict[tuple[str, int], list[Spent]]


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = _measure(args, Path(folder))
    result = {
        "benchmark": "mixed_adapters",
        "shape": args.shape,
        "weights": "random",
        "concurrency": args.concurrency,
        "threads": args.threads,
        "rounds": args.rounds,
        "seed": args.seed,
        "decode": [_row(samples, args.different[0], count) for count in args.different],
        "machine": machine.describe(),
    }
    print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixed_adapters", description=__doc__)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="smollm2-135m", help="default: %(default)s")
    parser.add_argument("--different", type=int, nargs="+", default=[1, 2, 4, 8, 16], help="default: %(default)s")
    parser.add_argument("--concurrency", type=int, default=16, help="requests in the batch (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=24, help="tokens per answer (default: %(default)s)")
    parser.add_argument("--prompt", type=int, default=32, help="tokens per prompt (default: %(default)s)")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", type=int, default=cores, help="OpenMP threads (default: every core)")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights (default: %(default)s)")
    return parser


def _measure(args: argparse.Namespace, folder: Path) -> _SAMPLES:
    models = write_models(folder, args.shape, adapters=max(args.different), seed=args.seed)
    samples: _SAMPLES = {}
    options: dict[str, Any] = {"threads": args.threads, "prompt": args.prompt}
    with Engine(models, plugin=True, **options) as ours, Engine(models, plugin=False, **options) as stock:
        cases = [(name, engine, n) for n in args.different for name, engine in (("ours", ours), ("stock", stock))]
        for round_ in range(args.rounds + 1):  # the first warms up and does not count
            for name, engine, different in cases if round_ % 2 else cases[::-1]:
                batch = [index % different for index in range(args.concurrency)]
                spent = engine.decode(batch, args.tokens)
                if round_:
                    samples.setdefault((name, different), []).append(spent)
                    print(f"round {round_} {different} adapters {name}: {spent}", file=sys.stderr)
    return samples


def _row(samples: _SAMPLES, fewest: int, different: int) -> dict[str, Any]:
    row: dict[str, Any] = {"different": different}
    for clock in ("wall", "processor"):
        ours, stock, one = (
            statistics.median(getattr(spent, clock) for spent in samples[key])
            for key in (("ours", different), ("stock", different), ("ours", fewest))
        )
        row[clock] = {
            "ms_per_token": {"ours": round(ours * 1000, 3), "stock": round(stock * 1000, 3)},
            "over_fewest_throughput": round(one / ours, 3),
            "ours_over_stock_throughput": round(stock / ours, 3),
        }
    return row


if __name__ == "__main__":
    sys.exit(main())
