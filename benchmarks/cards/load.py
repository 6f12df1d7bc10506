"""Cards at once against the model server alone: how many a second, and how long until the first token.

    python -m benchmarks.cards.load --url http://127.0.0.1:8000

As many clients as asked send modelled cards one after the other, as the front does but for its grammar, and read the
streams. For docs/reference/capacity.md, which plans with the rate at which the first token's p95 stays below a second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from adapters.provenance import stamp
from benchmarks.harness.at_once import keep_asking
from benchmarks.harness.frame import percentile
from benchmarks.harness.record import record
from benchmarks.tune.launch import modelled_prompts


def main() -> int:
    """Run it; 1 with a sentence when the server does not answer."""
    args, before = _parser().parse_args(), stamp()
    try:
        rows = [_measure(args, clients) for clients in args.clients]
    except httpx.HTTPError as error:
        print(f"The model server at {args.url} does not answer ({type(error).__name__}): start it with make up.")
        return 1
    within = [row for row in rows if row["first_token_p95_ms"] < 1000]
    best = max(within or rows, key=lambda row: float(row["cards_per_second"]))
    result = {
        "benchmark": "card_load", "cards_per_second": best["cards_per_second"], "within_a_second": bool(within),
        "rows": rows, "seconds": args.seconds, "seed": args.seed, **before,
    }  # fmt: skip
    record(args.out.stem, args.out.parent, result)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cards.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the model server (default: %(default)s)")
    parser.add_argument("--model", default="cni", help="alias or exact revision (default: %(default)s)")
    parser.add_argument(
        "--clients", type=int, nargs="+", default=[1, 4, 8, 16, 32], help="at once (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=30, help="for each number of clients (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the cards (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/card_load.json"), help="(%(default)s)")
    return parser


def _measure(args: argparse.Namespace, clients: int) -> dict[str, Any]:
    prompts = modelled_prompts(args.seed + clients)
    with httpx.Client(timeout=300, limits=httpx.Limits(max_connections=clients)) as client:
        _ask(client, args, next(prompts))  # the adapter is loaded, the fixed beginning cached
        answers, seconds = keep_asking(clients, args.seconds, prompts, lambda prompt: _ask(client, args, prompt))
    firsts = [first for first, _ in answers]
    return {
        "clients": clients,
        "cards": len(firsts),
        "cards_per_second": round(len(firsts) / seconds, 2),
        "tokens_a_card": round(statistics.fmean(tokens for _, tokens in answers), 1),
        "first_token_p50_ms": round(1000 * statistics.median(firsts)),
        "first_token_p95_ms": round(1000 * percentile(firsts, 95)),
        "samples": [round(1000 * first) for first in firsts],
    }


def _ask(client: httpx.Client, args: argparse.Namespace, prompt: str) -> tuple[float, int]:
    """Seconds to the first token of one card's answer, and its tokens."""
    body = {"model": args.model, "prompt": prompt, "max_tokens": 64, "logprobs": 0, "stream": True}
    body["stream_options"] = {"include_usage": True}  # a chunk holds several tokens where drafts came true
    begun, first = time.perf_counter(), 0.0
    with client.stream("POST", f"{args.url}/v1/completions", json={**body, "temperature": 0}) as answer:
        answer.raise_for_status()
        tokens = 0
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                first = first or time.perf_counter() - begun
                tokens = (json.loads(line[6:]).get("usage") or {}).get("completion_tokens", tokens)
    return first, tokens


if __name__ == "__main__":
    sys.exit(main())
