"""Many adapters on one base: Zipf traffic over 1 to 1,000 of them against traffic of one, loads, switches, memory.

    python -m benchmarks.many_adapters --quick

Registers random adapters (r=16 on q_proj and v_proj) in a folder of its own, starts a server over it and ends it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters import bases
from adapters.settings import Settings
from benchmarks.frame import Case, Panel, alternate, median, parser, publish, say
from benchmarks.registry_fill import LINEAR, Filler
from benchmarks.served import Served
from benchmarks.services import running

_LARGE = 5
_CONCURRENCY = 16


@dataclass(frozen=True)
class Sizes:
    """`counts`: adapters that Zipf's law draws from; `requests` a case and round; `steady` for the memory's slope."""

    counts: tuple[int, ...]
    requests: int
    steady: int
    switches: int


FULL = Sizes((1, 10, 100, 1000), 160, 3000, 40)
QUICK = Sizes((1, 10, 30), 32, 90, 4)


def main() -> int:
    """Run it; 1 when a request was not answered by the adapter that it named."""
    made = parser("many_adapters", __doc__)
    made.add_argument("--quick", action="store_true", help="small sizes: proves the benchmark, measures nothing")
    made.add_argument("--base", default=bases.EMBEDDED, help="base model (default: %(default)s)")
    made.add_argument("--port", type=int, default=8140, help="of the server (default: %(default)s)")
    args = made.parse_args()
    sizes = QUICK if args.quick else FULL
    base = bases.resolve(args.base, Settings())
    with tempfile.TemporaryDirectory() as folder:
        filler, switched = _fill(Path(folder), base, sizes, args.seed)
        environment = {"SERVER_MODEL": str(base), "SERVER_ADAPTERS_DIR": folder, "SERVER_PORT": str(args.port)}
        environment |= {"SERVER_MAX_LORAS": str(_CONCURRENCY), "SERVER_MAX_MODEL_LEN": "1024"}
        environment |= {"SERVER_MAX_CPU_LORAS": "20" if args.quick else "200", "SERVER_KV_CACHE_GIB": "1"}
        with running([sys.executable, "-m", "server"], args.port, environment, "/ready") as url:
            result = _measure(Served(url, args.seed), sizes, args, switched)
    result["register_ms"] = _spread([seconds * 1000 for seconds in filler.seconds])
    publish("many_adapters", args, result, _panels(result))
    return 1 if result["failed"] else 0


def _fill(root: Path, base: Path, sizes: Sizes, seed: int) -> tuple[Filler, list[str]]:
    """The adapters; the two revisions of `switch`."""
    filler = Filler(root, base, seed)
    for number in range(max(sizes.counts)):
        filler.add(_name(number), number)
        if number % 100 == 99:
            say(f"{number + 1} adapters registered")
    revisions = [filler.add("switch", 100_000 + number) for number in range(2)]
    for number in range(_LARGE):
        filler.add(f"large{number}", 200_000 + number, LINEAR)
    return filler, revisions


def _measure(served: Served, sizes: Sizes, args: argparse.Namespace, switched: list[str]) -> dict[str, Any]:
    draw = random.Random(args.seed)

    def traffic(count: int, requests: int) -> list[str]:
        weights = [1 / rank for rank in range(1, count + 1)]
        return [_name(number) for number in draw.choices(range(count), weights, k=requests)]

    def case(key: str, count: int) -> Case[float]:
        return Case((key,), lambda: served.rate(traffic(count, sizes.requests), _CONCURRENCY))

    rates = alternate([case("one", 1), *(case(str(n), n) for n in sizes.counts)], args.rounds)
    alone = median(rates["one",])
    steady = served.steady(traffic(max(sizes.counts), sizes.steady), _CONCURRENCY)
    cold = [served.cold(f"large{number}") for number in range(_LARGE)]
    ordinary, after = served.switches("switch", switched, sizes.switches)
    extra = _percentile(after, 95) - statistics.median(ordinary)
    return {
        "quick": args.quick,
        "base": args.base,
        "failed": served.failed,
        "answered": served.answered,
        "requests_per_second": {"one": alone, **{str(n): median(rates[str(n),]) for n in sizes.counts}},
        "against_one": {str(n): round(median(rates[str(n),]) / alone, 3) for n in sizes.counts},
        "steady": steady,
        "cold_load_9_mb": {"bytes": served.bytes_of("large0"), **_cold(cold)},
        "switch_ms": {
            "ordinary_p50": round(1000 * statistics.median(ordinary), 1),
            "switch_p95": round(1000 * _percentile(after, 95), 1),
            "extra_p95": round(1000 * extra, 1),
        },
    }


def _cold(seconds: list[tuple[float, float]]) -> dict[str, Any]:
    """Loads alone, and whole first requests with check, load, proof of effect and answer."""
    loads, requests = zip(*seconds, strict=True)
    return {"load_ms": _spread([s * 1000 for s in loads]), "first_request_ms": _spread([s * 1000 for s in requests])}


def _spread(values: list[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(values), 1), "p95": round(_percentile(values, 95), 1)}


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _panels(result: dict[str, Any]) -> list[Panel]:
    counts = tuple(result["against_one"])
    steady, cold = result["steady"], result["cold_load_9_mb"]
    waits = {
        "load": steady["load_ms"],
        "load of 9 MB": cold["load_ms"],
        "first request of 9 MB": cold["first_request_ms"],
        "registration": result["register_ms"],
    }
    spread: dict[str, list[float | None]] = {key: [values[key] for values in waits.values()] for key in ("p50", "p95")}
    memory = [steady["memory_mb"]["begin"], steady["memory_mb"]["end"]]
    ratios = {"Zipf / one": list(result["against_one"].values())}
    return [
        Panel("Requests a second, Zipf over so many adapters against one adapter", "ratio", counts, ratios),
        Panel("Loads", "ms", tuple(waits), spread),
        Panel("Memory of the server under Zipf traffic", "MB", ("begin", "end"), {"resident": memory}),
    ]


def _name(number: int) -> str:
    return f"a{number:04d}"


if __name__ == "__main__":
    sys.exit(main())
