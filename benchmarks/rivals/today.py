"""Ours, on the base and on its INT8 copy, against what teams run today: PEFT behind one worker, and llama.cpp.

    python -m benchmarks.rivals.today --shape embedded
    python -m benchmarks.rivals.today --shape qwen3-0.6b --crowds 8 --single-tokens 20

PEFT is transformers' `generate` with the adapter. Same prompts and as many new tokens for all: 20 (our answers, line
numbers) and 150 (a JSON object with keys); several at once get 20 each. One worker is one process that answers one
request at a time, behind the standard library's HTTP server. llama.cpp runs in an environment of its own
(`make bench-env`); without that it is left out, with a word.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness.frame import Case, Key, Panel, alternate, median, parser, publish, say
from benchmarks.harness.models import EMBEDDED, SHAPES, write_models
from benchmarks.harness.services import Prompts, ask, running
from benchmarks.rivals.servers import OURS, servers

_CROWD_TOKENS = 20


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as services:
        folder = Path(scratch)
        models = write_models(folder, args.shape, adapters=1, seed=args.seed)
        urls = {
            one.name: services.enter_context(running(one.command, one.port, one.environment, "/health"))
            for one in servers(folder, args.shape, models, args.threads, args.port)
        }
        say(f"measuring {', '.join(urls)}")
        samples = _measure(args, urls)
    result = {"shape": args.shape, "prompt": args.prompt, "rows": [_row(key, samples) for key in _keys(args, urls)]}
    publish(f"today-{args.shape}", args, result, _panels(args, urls, samples))
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("rivals.today", __doc__, rounds=3)
    made.add_argument("--shape", choices=[EMBEDDED, *sorted(SHAPES)], default=EMBEDDED, help="default: %(default)s")
    made.add_argument("--single-tokens", type=int, nargs="+", default=[20, 150], help="one card (default: %(default)s)")
    made.add_argument("--crowds", type=int, nargs="*", default=[8, 32], help="cards at once (default: %(default)s)")
    made.add_argument("--prompt", type=int, default=350, help="tokens per prompt (default: %(default)s)")
    made.add_argument("--port", type=int, default=8220, help="the first of eight ports (default: %(default)s)")
    return made


def _measure(args: argparse.Namespace, urls: dict[str, str]) -> dict[Key, list[float]]:
    prompts = Prompts(args.prompt, args.seed)

    def run(name: str, count: int, tokens: int) -> float:
        wanted = {"model": "bench", "max_tokens": tokens, "ignore_eos": True}
        took, made = ask(urls[name], [{**wanted, "prompt": prompt} for prompt in prompts.take(count)])
        if made != count * tokens:
            raise RuntimeError(f"{name} answered {made} tokens instead of {count * tokens}")
        return took

    cases = [Case(key, lambda k=key: run(*k)) for key in _keys(args, urls)]  # type: ignore[misc]
    single = [case for case in cases if case.key[1] == 1]
    crowds = [case for case in cases if case.key[1] != 1]
    # A crowd takes minutes where cards are answered one by one; single cards have warmed every server by then.
    return alternate(single, args.rounds) | alternate(crowds, args.rounds, warm=0)


def _keys(args: argparse.Namespace, urls: dict[str, str]) -> list[tuple[str, int, int]]:
    loads = [(1, tokens) for tokens in args.single_tokens] + [(count, _CROWD_TOKENS) for count in args.crowds]
    return [(name, count, tokens) for count, tokens in loads for name in urls]


def _row(key: tuple[str, int, int], samples: dict[Key, list[float]]) -> dict[str, Any]:
    name, count, tokens = key
    took, ours = median(samples[key]), median(samples[OURS, count, tokens])
    return {
        "server": name,
        "at_once": count,
        "tokens": tokens,
        "seconds": took,
        "cards_per_second": round(count / took, 3),
        "ours_is_faster": round(took / ours, 2),
    }


def _panels(args: argparse.Namespace, urls: dict[str, str], samples: dict[Key, list[float]]) -> list[Panel]:
    def series(loads: list[tuple[int, int]], per_second: bool) -> dict[str, list[float | None]]:
        def value(name: str, count: int, tokens: int) -> float:
            took = median(samples[name, count, tokens])
            return count / took if per_second else took

        return {name: [value(name, *load) for load in loads] for name in urls}

    single = [(1, tokens) for tokens in args.single_tokens]
    crowds = [(count, _CROWD_TOKENS) for count in args.crowds]
    first = tuple(f"{tokens} tokens" for _, tokens in single)
    panels = [Panel(f"One card, {args.shape}: less is better", "seconds", first, series(single, False))]
    if crowds:
        groups = tuple(f"{count} at once" for count, _ in crowds)
        panels.append(Panel("20 tokens a card: more is better", "cards a second", groups, series(crowds, True)))
    return panels


if __name__ == "__main__":
    sys.exit(main())
