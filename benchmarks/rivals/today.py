"""Ours, as `make up` serves it, against what else would serve such a base and adapter, as a user would run it.

    python -m benchmarks.rivals.today --shape embedded
    python -m benchmarks.rivals.today --shape qwen3-0.6b --crowds 8

The same work for all: prompts of 350 token ids that share nothing, so no prefix cache finds anything; exactly as many
new tokens, greedy: 20 (our answers, line numbers) and 150 (a JSON object with keys), several at once 20 each; two
threads; and everybody batches what waits. All servers stand at once, and every round asks each in turn.
vLLM alone has no adapter (with one it is slower: `benchmarks.lora.tax`). PEFT is transformers' `generate` with batches.
llama.cpp, OpenVINO GenAI and ONNX Runtime GenAI run in environments of their own (`make bench-env`); one
whose environment is missing is left out, with a word. Larger bases have fewer rivals.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.frame import Case, Key, Panel, alternate, median, parser, publish, say
from benchmarks.harness.models import EMBEDDED, SHAPES, Models, write_models
from benchmarks.harness.services import Prompts, ask, running
from benchmarks.rivals.environments import pinned
from benchmarks.rivals.others import others
from benchmarks.rivals.servers import BF16, OURS, Server, ours, peft, vllm_alone

_CROWD_TOKENS = 20


@dataclass(frozen=True)
class Started:
    """A server's address, and the seconds that it goes on computing after an answer."""

    url: str
    settles: float


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as services:
        models = write_models(Path(scratch), args.shape, adapters=1, seed=args.seed)
        urls = dict(_started(services, _servers(args, Path(scratch), models)))
        say(f"measuring {', '.join(urls)}")
        samples = _measure(args, urls)
    names = list(urls)
    rows = [_row(key, samples) for key in _keys(args, names)]
    result = {"shape": args.shape, "prompt": args.prompt, "shared": 0, "pinned": pinned(), "rows": rows}
    publish(f"today-{args.shape}", args, result, _panels(args, names, samples))
    return 0


def _servers(args: argparse.Namespace, folder: Path, models: Models) -> Iterator[Server]:
    yield from ours(folder, args.shape, models, args.threads, args.port)
    if args.shape == EMBEDDED:
        yield vllm_alone(models, args.threads, args.port + 2)
    yield peft(models, args.threads, args.port + 3)
    yield from others(folder, args.shape, models, args.threads, args.port + 4)


def _started(services: contextlib.ExitStack, servers: Iterator[Server]) -> Iterator[tuple[str, Started]]:
    """By name. A rival that does not start is left out, with what it said; ours must."""
    for server in servers:
        say(f"starting {server.name}")
        try:
            url = services.enter_context(running(server.command, server.port, server.environment, "/health"))
        except RuntimeError as error:
            if server.name in {OURS, BF16}:
                raise
            say(f"{server.name} is left out: {error}")
        else:
            yield server.name, Started(url, server.settles)


def _parser() -> argparse.ArgumentParser:
    made = parser("rivals.today", __doc__, rounds=3)
    made.add_argument("--shape", choices=[EMBEDDED, *sorted(SHAPES)], default=EMBEDDED, help="default: %(default)s")
    made.add_argument("--single-tokens", type=int, nargs="+", default=[20, 150], help="one card (default: %(default)s)")
    made.add_argument("--crowds", type=int, nargs="*", default=[8, 32], help="cards at once (default: %(default)s)")
    made.add_argument("--prompt", type=int, default=350, help="tokens per prompt (default: %(default)s)")
    made.add_argument("--port", type=int, default=8220, help="the first of sixteen ports (default: %(default)s)")
    return made


def _measure(args: argparse.Namespace, urls: dict[str, Started]) -> dict[Key, list[float]]:
    prompts = Prompts(args.prompt, args.seed, fixed=0)

    def run(name: str, count: int, tokens: int) -> float:
        wanted = {"model": "bench", "max_tokens": tokens, "ignore_eos": True}
        took, made = ask(urls[name].url, [{**wanted, "prompt": prompt} for prompt in prompts.take(count)])
        if made != count * tokens:
            raise RuntimeError(f"{name} answered {made} tokens instead of {count * tokens}")
        time.sleep(urls[name].settles)
        return took

    cases = [Case(key, lambda k=key: run(*k)) for key in _keys(args, list(urls))]  # type: ignore[misc]
    single = [case for case in cases if case.key[1] == 1]
    crowds = [case for case in cases if case.key[1] != 1]
    # Single cards have warmed every server by then, and crowds take most of the time: one round less.
    return alternate(single, args.rounds) | alternate(crowds, max(1, args.rounds - 1), warm=0)


def _keys(args: argparse.Namespace, names: list[str]) -> list[tuple[str, int, int]]:
    loads = [(1, tokens) for tokens in args.single_tokens] + [(count, _CROWD_TOKENS) for count in args.crowds]
    return [(name, count, tokens) for count, tokens in loads for name in names]


def _row(key: tuple[str, int, int], samples: dict[Key, list[float]]) -> dict[str, Any]:
    name, count, tokens = key
    took, ours_took = median(samples[key]), median(samples[OURS, count, tokens])
    return {
        "server": name,
        "at_once": count,
        "tokens": tokens,
        "seconds": took,
        "samples": [round(sample, 3) for sample in samples[key]],
        "cards_per_second": round(count / took, 3),
        "ours_is_faster": round(took / ours_took, 2),
    }


def _panels(args: argparse.Namespace, names: list[str], samples: dict[Key, list[float]]) -> list[Panel]:
    def series(loads: list[tuple[int, int]], per_second: bool) -> dict[str, list[float | None]]:
        def value(name: str, count: int, tokens: int) -> float:
            took = median(samples[name, count, tokens])
            return count / took if per_second else took

        return {name: [value(name, *load) for load in loads] for name in names}

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
