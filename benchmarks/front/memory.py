"""Does the front's memory stay flat? Its resident size over 2,000 cards (`--count`), one by one, with the real OCR.

    python -m benchmarks.front.memory --out benchmarks/results/front_memory

Writes OUT.png and OUT.json. A stand-in answers for the model: only the front is measured.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import httpx

from adapters.provenance import stamp
from benchmarks.front.services import cards, front, model_server, running

_SETTLED = 0.25  # the share of cards after which caches and arenas have found their size


def main() -> int:
    """Run it; 1 with a sentence when a service does not start."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.front.memory", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="cards (default: %(default)s)")
    parser.add_argument("--distinct", type=int, default=64, help="of them different (default: %(default)s)")
    parser.add_argument("--every", type=int, default=20, help="cards between two looks (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8295, help="of the front; the next one is the stand-in's")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/front_memory"))
    parser.add_argument("--quick", action="store_true", help="40 cards, to see that it works")
    args = parser.parse_args()
    if args.quick:
        args.count, args.distinct, args.every = 40, 8, 4
    try:
        result = _measure(args)
    except (RuntimeError, httpx.HTTPError) as error:
        print(f"{error or type(error).__name__}", file=sys.stderr)
        return 1
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _draw(result, args.out.with_suffix(".png"))
    print(json.dumps({name: value for name, value in result.items() if name != "samples"}))
    return 0


def _measure(args: argparse.Namespace) -> dict[str, Any]:
    before, drawn = stamp(), cards(args.distinct)
    server = model_server(args.port + 1, None, 0.0)
    service = front(args.port, server)
    samples: list[tuple[int, float]] = []
    statuses: dict[str, int] = {}
    with running(server, service), httpx.Client(base_url=service.url, timeout=120) as client:
        samples.append((0, round(service.resident_mib(), 1)))
        for number in range(1, args.count + 1):
            document, image = drawn[number % len(drawn)]
            response = client.post("/v1/extract", files={"image": ("a.jpg", image)}, data={"document": document})
            statuses[str(response.status_code)] = statuses.get(str(response.status_code), 0) + 1
            if number % args.every == 0:
                samples.append((number, round(service.resident_mib(), 1)))
                print(f"\r{number}/{args.count} {samples[-1][1]:.0f} MiB", end="", file=sys.stderr)
    print(file=sys.stderr)
    settled = [sample for sample in samples if sample[0] >= _SETTLED * args.count]
    growth = statistics.linear_regression(*zip(*settled, strict=True)).slope if len(settled) > 1 else 0.0
    return {
        "benchmark": "front_memory", "cards": args.count, "server": "stand-in", "statuses": statuses,
        "mib_at_start": samples[0][1], "mib_at_end": samples[-1][1], "mib_most": max(size for _, size in samples),
        "mib_per_1000_cards_after_first_quarter": round(growth * 1000, 2),
        **before, "samples": samples,
    }  # fmt: skip


def _draw(result: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.2), dpi=110)
    axes.plot(*zip(*result["samples"], strict=True), color="#0d4a40")
    axes.set(xlabel="cards", ylabel="resident memory, MiB", title="The front's memory", ylim=(0, None))
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
