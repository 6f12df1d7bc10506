"""What an adapter costs on a CPU: base, adapter with our CPU LoRA, adapter with vLLM's own, in alternating rounds.

vLLM's own comes twice: `stock` has our launch (threads bound, tcmalloc, libiomp5), so that LoRA alone differs;
`defaults` is vLLM as it is started without us, which no choice of our launch may be slower than.

    python -m benchmarks.lora.tax --shapes embedded qwen3-0.6b --concurrency 1 8 32

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
from benchmarks.lora.engine import BASE, Engine, Plan, Spent

_VARIANTS = ("base", "ours", "stock", "stock base", "defaults", "defaults base")
Samples = dict[Key, list[Spent]]


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    rows = [row for shape in args.shapes for row in _measure(args, shape)]
    result = {
        "weights": "random, but for the embedded base's own; adapters random, rank 16 on q_proj and v_proj",
        "tokens": args.tokens,
        "prompt": args.prompt,
        "decode": rows,
    }
    publish("lora_tax", args, result, [_panel(rows, shape) for shape in args.shapes])
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("lora.tax", __doc__)
    shapes = [EMBEDDED, *sorted(SHAPES)]
    made.add_argument("--shapes", nargs="+", choices=shapes, default=[EMBEDDED, "qwen3-0.6b"], help="%(default)s")
    made.add_argument("--concurrency", type=int, nargs="+", default=[1, 8, 32], help="default: %(default)s")
    made.add_argument("--tokens", type=int, default=20, help="tokens per answer (default: %(default)s)")
    made.add_argument("--prompt", type=int, default=32, help="tokens per prompt (default: %(default)s)")
    return made


def _measure(args: argparse.Namespace, shape: str) -> list[dict[str, Any]]:
    plan = Plan(args.threads, args.prompt)
    stock_plan = Plan(args.threads, args.prompt, plugin=False)
    defaults_plan = Plan(args.threads, args.prompt, plugin=False, launch=False)
    with tempfile.TemporaryDirectory() as folder:
        models = write_models(Path(folder), shape, adapters=1, seed=args.seed)
        with (
            Engine(models, plan) as ours,
            Engine(models, stock_plan) as stock,
            Engine(models, defaults_plan) as defaults,
        ):
            pairs = [(ours, BASE), (ours, 0), (stock, 0), (stock, BASE), (defaults, 0), (defaults, BASE)]
            variants = dict(zip(_VARIANTS, pairs, strict=True))
            cases = [
                Case((name, count), lambda e=engine, a=adapter, n=count: e.decode([a] * n, args.tokens))  # type: ignore[misc]
                for count in args.concurrency
                for name, (engine, adapter) in variants.items()
            ]
            samples = alternate(cases, args.rounds)
    return [_row(samples, shape, count) for count in args.concurrency]


def _row(samples: Samples, shape: str, concurrency: int) -> dict[str, Any]:
    row: dict[str, Any] = {"shape": shape, "concurrency": concurrency}
    for clock in ("wall", "processor"):
        every = {n: [getattr(s, clock) * 1000 for s in samples[n, concurrency]] for n in _VARIANTS}
        took = {n: median(rounds) for n, rounds in every.items()}
        row[clock] = {
            "ms_per_token": took,
            "adapter_over_base_throughput": round(took["base"] / took["ours"], 3),
            "stock_adapter_over_base_throughput": round(took["stock base"] / took["stock"], 3),
            "ours_over_stock_throughput": round(took["stock"] / took["ours"], 3),
            "base_over_stock_base_throughput": round(took["stock base"] / took["base"], 3),
            "ours_over_defaults_throughput": round(took["defaults"] / took["ours"], 3),
            "base_over_defaults_base_throughput": round(took["defaults base"] / took["base"], 3),
            "samples": {n: each(rounds) for n, rounds in every.items()},
        }
    return row


def _panel(rows: list[dict[str, Any]], shape: str) -> Panel:
    chosen = [row for row in rows if row["shape"] == shape]
    groups = tuple(f"{row['concurrency']} at once" for row in chosen)
    series = {name: [1000 / row["wall"]["ms_per_token"][name] for row in chosen] for name in _VARIANTS}
    return Panel(f"Decoding, {shape}: more is better", "tokens a second", groups, dict(series))


if __name__ == "__main__":
    sys.exit(main())
