"""One card at a time through the running services: how long each stage takes.

    python -m benchmarks.cards.card --count 40

Every card is another person's, so no prompt is in the prefix cache but for its fixed beginning.
"""

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Iterator

import httpx

from adapters import machine
from adapters.data.cards import PLAIN, draw_card
from adapters.data.documents import DOCUMENT_NAMES
from benchmarks.harness.frame import spread

SEED = 4242
_STAGES = ("decode", "ocr", "llm", "total", "wall")


def main() -> int:
    """Run it; the exit code is 1 with a sentence when the services do not answer."""
    args = _parser().parse_args()
    try:
        result = _measure(args.front, args.model, args.count, args.warmup)
    except httpx.HTTPError as error:
        print(f"The OCR front at {args.front} does not answer ({type(error).__name__}): start it with make up.")
        return 1
    print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cards.card", description=__doc__)
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--model", default="cni", help="model, alias or revision (default: %(default)s)")
    parser.add_argument("--count", type=int, default=40, help="cards that count (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=8, help="cards before them (default: %(default)s)")
    return parser


def _measure(front: str, model: str, count: int, warmup: int) -> dict[str, object]:
    times: dict[str, list[float]] = {stage: [] for stage in _STAGES}
    tokens: list[tuple[int, int]] = []
    with httpx.Client(base_url=front, timeout=300) as client:
        for number, (document, image) in enumerate(_cards(warmup + count)):
            begun = time.perf_counter()
            files = {"image": ("card.jpg", image, "image/jpeg")}
            response = client.post("/v1/extract", files=files, data={"document": document, "model": model})
            wall = (time.perf_counter() - begun) * 1000
            response.raise_for_status()
            if number < warmup:
                continue
            reply = response.json()
            for stage, value in (reply["timings_ms"] | {"wall": wall}).items():
                if stage in times:
                    times[stage].append(value)
            tokens.append((reply["usage"]["prompt_tokens"], reply["usage"]["completion_tokens"]))
            print(f"\r{number - warmup + 1}/{count}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return {
        "benchmark": "card",
        "model": reply["model"],
        "cards": count,
        "milliseconds": {stage: spread(values) for stage, values in times.items() if values},
        "prompt_tokens": statistics.fmean(prompt for prompt, _ in tokens),
        "completion_tokens": statistics.fmean(completion for _, completion in tokens),
        "machine": machine.describe(),
    }


def _cards(count: int) -> Iterator[tuple[str, bytes]]:
    """Held-out people; the four documents in turn, clean and photographed by turns."""
    for index in range(count):
        document = DOCUMENT_NAMES[index % len(DOCUMENT_NAMES)]
        condition = PLAIN[index // len(DOCUMENT_NAMES) % len(PLAIN)]
        image = draw_card(SEED, index, "test", document, condition).card.image
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=92)
        yield document, buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
