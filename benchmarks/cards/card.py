"""Cards through the running services: how long each stage of one takes, and how many a second several clients get.

    python -m benchmarks.cards.card --count 40 --clients 1 4 16

Every card is another person's, so no prompt is in the prefix cache but for its fixed beginning. All are drawn before
the clock runs.
"""

import argparse
import io
import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from adapters.data.cards import PLAIN, draw_card
from adapters.data.documents import DOCUMENT_NAMES
from adapters.provenance import stamp
from benchmarks.harness.at_once import keep_asking
from benchmarks.harness.frame import RESULTS, each, percentile, say, spread
from benchmarks.harness.record import record

SEED = 4242
_STAGES = ("decode", "ocr", "llm", "total", "wall")
Card = tuple[str, bytes]


def main() -> int:
    """Run it; the exit code is 1 with a sentence when the services do not answer."""
    args = _parser().parse_args()
    before = stamp()
    cards = _drawn(args.warmup + args.count, len(args.clients) * args.more)
    try:
        with httpx.Client(base_url=args.front, timeout=300) as client:
            one = _one_by_one(client, args, cards)
            rates = [_rate(client, args, clients, cards) for clients in args.clients]
    except httpx.HTTPError as error:
        print(f"The OCR front at {args.front} does not answer ({type(error).__name__}): start it with make up.")
        return 1
    about = {"seconds": args.seconds, "seed": SEED, **before}
    record("card", args.out, {"benchmark": "card", **one, "clients": rates, **about})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cards.card",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--model", default="cni", help="model, alias or revision (default: %(default)s)")
    parser.add_argument("--count", type=int, default=40, help="cards one by one that count (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=8, help="cards before them (default: %(default)s)")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4, 16], help="at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="for each number of clients (default: %(default)s)")
    parser.add_argument("--more", type=int, default=80, help="cards drawn for each of them (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON (default: %(default)s)")
    return parser


def _drawn(first: int, more: int) -> Iterator[Card]:
    """Held-out people; the four documents in turn, clean and photographed by turns. Starts again after the last."""
    drawn = []
    for index in range(first + more):
        document = DOCUMENT_NAMES[index % len(DOCUMENT_NAMES)]
        condition = PLAIN[index // len(DOCUMENT_NAMES) % len(PLAIN)]
        buffer = io.BytesIO()
        draw_card(SEED, index, "test", document, condition).card.image.save(buffer, "JPEG", quality=92)
        drawn.append((document, buffer.getvalue()))
    return itertools.cycle(drawn)


def _one_by_one(client: httpx.Client, args: argparse.Namespace, cards: Iterator[Card]) -> dict[str, Any]:
    times: dict[str, list[float]] = {stage: [] for stage in _STAGES}
    tokens: list[tuple[int, int]] = []
    for number in range(args.warmup + args.count):
        begun = time.perf_counter()
        reply = _extract(client, args.model, next(cards))
        wall = (time.perf_counter() - begun) * 1000
        if number < args.warmup:
            continue
        for stage, value in (reply["timings_ms"] | {"wall": wall}).items():
            if stage in times:
                times[stage].append(value)
        tokens.append((reply["usage"]["prompt_tokens"], reply["usage"]["completion_tokens"]))
    found = {
        "model": reply["model"],
        "cards": args.count,
        "milliseconds": {stage: spread(values) for stage, values in times.items() if values},
        "samples": {stage: each(values, 1) for stage, values in times.items() if values},
        "prompt_tokens": statistics.fmean(prompt for prompt, _ in tokens),
        "completion_tokens": statistics.fmean(completion for _, completion in tokens),
    }
    say(f"one by one: {found['milliseconds']}")
    return found


def _rate(client: httpx.Client, args: argparse.Namespace, clients: int, cards: Iterator[Card]) -> dict[str, Any]:
    """Each client sends its next card when it has its answer, until the time is over."""

    def ask(card: Card) -> float:
        asked = time.perf_counter()
        _extract(client, args.model, card)
        return time.perf_counter() - asked

    took, seconds = keep_asking(clients, args.seconds, cards, ask)
    found = {
        "clients": clients,
        "cards": len(took),
        "cards_per_second": round(len(took) / seconds, 2),
        "p50_ms": round(1000 * statistics.median(took)),
        "p95_ms": round(1000 * percentile(took, 95)),
    }
    say(str(found))
    return found | {"samples": [round(1000 * seconds) for seconds in took]}


def _extract(client: httpx.Client, model: str, card: Card) -> dict[str, Any]:
    document, image = card
    files = {"image": ("card.jpg", image, "image/jpeg")}
    response = client.post("/v1/extract", files=files, data={"document": document, "model": model})
    response.raise_for_status()
    reply: dict[str, Any] = response.json()
    return reply


if __name__ == "__main__":
    sys.exit(main())
