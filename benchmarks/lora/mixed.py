"""Different adapters in one batch on a CPU, ours and vLLM's own: does a batch of many cost more than a batch of one?

    python -m benchmarks.lora.mixed --shape qwen3-0.6b --different 1 2 4 8 16

`processor` figures (seconds of all threads) are to be read where other work shares the cores: use --threads 1 for them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness.frame import Case, Key, Panel, alternate, each, median, parser, publish
from benchmarks.harness.models import EMBEDDED, SHAPES, write_models
from benchmarks.lora.engine import Engine, Plan, Spent

Samples = dict[Key, list[Spent]]


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    samples = _measure(args)
    rows = [_row(samples, args.different[0], count) for count in args.different]
    result = {
        "shape": args.shape,
        "weights": "the embedded base's own" if args.shape == EMBEDDED else "random",
        "concurrency": args.concurrency,
        "decode": rows,
    }
    groups = tuple(f"{count} adapters" for count in args.different)
    series = {name: [1000 / row["wall"]["ms_per_token"][name] for row in rows] for name in ("ours", "stock")}
    title = f"Decoding, {args.shape}, {args.concurrency} at once: more is better"
    name = f"mixed_adapters-{EMBEDDED}" if args.shape == EMBEDDED else "mixed_adapters"
    publish(name, args, result, [Panel(title, "tokens a second", groups, dict(series))])
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("lora.mixed", __doc__)
    made.add_argument("--shape", choices=[EMBEDDED, *sorted(SHAPES)], default="qwen3-0.6b", help="default: %(default)s")
    made.add_argument("--different", type=int, nargs="+", default=[1, 2, 4, 8, 16], help="default: %(default)s")
    made.add_argument("--concurrency", type=int, default=16, help="requests in the batch (default: %(default)s)")
    made.add_argument("--tokens", type=int, default=16, help="tokens per answer (default: %(default)s)")
    made.add_argument("--prompt", type=int, default=32, help="tokens per prompt (default: %(default)s)")
    return made


def _measure(args: argparse.Namespace) -> Samples:
    plans = {"ours": Plan(args.threads, args.prompt), "stock": Plan(args.threads, args.prompt, plugin=False)}
    with tempfile.TemporaryDirectory() as folder:
        models = write_models(Path(folder), args.shape, adapters=max(args.different), seed=args.seed)
        with Engine(models, plans["ours"]) as ours, Engine(models, plans["stock"]) as stock:
            cases = [
                Case((name, count), lambda e=engine, n=count: e.decode(_batch(args.concurrency, n), args.tokens))  # type: ignore[misc]
                for count in args.different
                for name, engine in (("ours", ours), ("stock", stock))
            ]
            return alternate(cases, args.rounds)


def _batch(concurrency: int, different: int) -> list[int]:
    return [index % different for index in range(concurrency)]


def _row(samples: Samples, fewest: int, different: int) -> dict[str, Any]:
    row: dict[str, Any] = {"different": different}
    for clock in ("wall", "processor"):
        every = {
            key: [getattr(spent, clock) * 1000 for spent in samples[key]]
            for key in (("ours", different), ("stock", different), ("ours", fewest))
        }
        ours, stock, one = (median(every[key]) for key in (("ours", different), ("stock", different), ("ours", fewest)))
        row[clock] = {
            "ms_per_token": {"ours": ours, "stock": stock},
            "over_fewest_throughput": round(one / ours, 3),
            "ours_over_stock_throughput": round(stock / ours, 3),
            "samples": {name: each(every[name, different]) for name in ("ours", "stock")},
        }
    return row


if __name__ == "__main__":
    sys.exit(main())
