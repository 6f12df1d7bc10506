"""Steps, seconds and answers with drafts and without, on two servers that answer the same cards in turns.

    python -m benchmarks.lora.drafts --forms int8 --cards 40
    python -m benchmarks.lora.drafts --forms int8 --answers lines --cards 500 --name drafts-answers
    python -m benchmarks.lora.drafts --shape qwen3-0.6b --forms int8 --cards 5 --at-once 1 --known 0.95

`lines`: the shipped `cni`'s answers to recorded OCR lines. `object`: a JSON object with keys, by the shipped
`cni-object`. Other shapes have random weights: their objects' values are held to lines of the prompt, and nobody can
foresee which they copy. `--known` is the share of a card's values that the grammar gives as they are, which stands for
what a trained adapter's drafts get right; such texts are written in the longest tokens, as a trained model writes them
(benchmarks/harness/longest_tokens.py).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters.registry.manifest import PromptContract
from benchmarks.harness.frame import Panel, each, median, parser, publish, say
from benchmarks.harness.metrics import sums
from benchmarks.harness.models import EMBEDDED, SHAPES
from benchmarks.harness.recorded_cards import recorded_cards
from benchmarks.lora.drafts_requests import Body, by_base, by_contract
from benchmarks.lora.drafts_servers import forms_of_base, pair_of_servers

_COUNTERS = {
    "steps": "vllm:iteration_tokens_total_count",
    "written": "vllm:generation_tokens_total",
    "drafted": "vllm:spec_decode_num_draft_tokens_total",
    "accepted": "vllm:spec_decode_num_accepted_tokens_total",
}
_WARM = 8  # cards that no round counts
_ADAPTERS = {"lines": "cni", "object": "cni-object"}


@dataclass(frozen=True)
class Run:
    """One slice of cards by one server."""

    seconds: float
    counted: dict[str, float]
    answers: list[str]


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    answers = args.answers if args.shape == EMBEDDED else ["object"]
    with tempfile.TemporaryDirectory() as scratch:
        rows = [
            _row(args, urls, form, answer, at_once)
            for form, base in forms_of_base(Path(scratch), args)
            for urls in pair_of_servers(args, base, Path(scratch))
            for answer in answers
            for at_once in args.at_once
        ]
    about = {"shape": args.shape, "tokens": args.tokens, "known": args.known}
    publish(args.name or f"drafts-{args.shape}", args, {**about, "rows": rows}, _panels(rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("lora.drafts", __doc__, rounds=2)
    made.add_argument("--shape", choices=[EMBEDDED, *sorted(SHAPES)], default=EMBEDDED, help="default: %(default)s")
    made.add_argument("--forms", nargs="+", choices=["bf16", "int8"], default=["bf16"], help="of the base")
    made.add_argument("--cards", type=int, default=40, help="in a round (default: %(default)s)")
    made.add_argument("--at-once", type=int, nargs="+", default=[1, 8], help="requests (default: %(default)s)")
    made.add_argument("--tokens", type=int, default=8, help="drafted at most (default: %(default)s)")
    made.add_argument("--answers", nargs="+", choices=list(_ADAPTERS), default=list(_ADAPTERS), help="default: both")
    made.add_argument("--name", help="of the result's files (default: drafts-SHAPE)")
    made.add_argument("--known", type=float, default=0.0, help="of values, by other shapes (default: %(default)s)")
    made.add_argument("--port", type=int, default=8260, help="the first of two ports (default: %(default)s)")
    return made


def _row(args: argparse.Namespace, urls: dict[str, str], form: str, answer: str, at_once: int) -> dict[str, Any]:
    cards = recorded_cards(every=True)
    runs: dict[str, list[Run]] = {name: [] for name in urls}
    for number in range(-1, args.rounds):
        first, count = (number * args.cards, args.cards) if number >= 0 else (-_WARM, _WARM)
        for name in sorted(urls, reverse=number % 2 == 0):
            bodies = _bodies(args, urls[name], answer, cards[first:][:count])
            run = _run(urls[name], bodies, at_once)
            say(f"{form}, {answer}, {at_once} at once, drafts {name}: {run.seconds:.2f} s, {run.counted}")
            if number >= 0:
                runs[name].append(run)
    off, on = runs["off"], runs["on"]
    pairs = [pair for a, b in zip(off, on, strict=True) for pair in zip(a.answers, b.answers, strict=True)]
    took = {name: [run.seconds * at_once / len(run.answers) for run in runs[name]] for name in runs}
    total = {name: {key: sum(run.counted[key] for run in runs[name]) for key in _COUNTERS} for name in runs}
    return {
        "base": form,
        "form": answer,
        "at_once": at_once,
        "cards": len(pairs),
        "tokens_a_card": round(total["off"]["written"] / len(pairs), 1),
        "fewer_steps": round(total["off"]["steps"] / total["on"]["steps"], 2),
        "accepted": round(total["on"]["accepted"] / max(total["on"]["drafted"], 1), 3),
        "seconds_a_card": {name: median(rounds) for name, rounds in took.items()},
        "times_as_fast": median([a.seconds for a in off], 9) / median([b.seconds for b in on], 9),
        "answers_changed": sum(a != b for a, b in pairs),
        "counted": total,
        "samples": {name: each(rounds) for name, rounds in took.items()},
    }


def _bodies(args: argparse.Namespace, url: str, answer: str, cards: Sequence[dict[str, Any]]) -> list[Body]:
    if args.shape != EMBEDDED:
        return [by_base(card, args.known, args.seed) for card in cards]
    listed = httpx.get(f"{url}/v1/models", timeout=60).raise_for_status().json()["data"]
    model = _ADAPTERS[answer]
    contract = PromptContract.model_validate(next(one["prompt"] for one in listed if one["id"] == model))
    return [by_contract(card, model, contract) for card in cards]


def _run(url: str, bodies: Sequence[Body], at_once: int) -> Run:
    with httpx.Client(base_url=url, timeout=1800) as client:
        before = _counters(client)
        begun = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(lambda body: _ask(client, body), bodies))
        took = time.perf_counter() - begun
        after = _counters(client)
    return Run(took, {name: after[name] - before[name] for name in after}, answers)


def _ask(client: httpx.Client, body: Body) -> str:
    answer = client.post("/v1/completions", json=body)
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["text"])


def _counters(client: httpx.Client) -> dict[str, float]:
    found = sums(client.get("/metrics").text)
    return {key: found.get(name, 0.0) for key, name in _COUNTERS.items()}


def _panels(rows: Sequence[dict[str, Any]]) -> list[Panel]:
    groups = tuple(f"{row['base']}, {row['form']}, {row['at_once']} at once" for row in rows)
    series: dict[str, list[float | None]] = {
        "fewer steps": [row["fewer_steps"] for row in rows],
        "as fast": [row["times_as_fast"] for row in rows],
    }
    return [Panel("Drafts on against off: more is better", "times", groups, series)]


if __name__ == "__main__":
    sys.exit(main())
