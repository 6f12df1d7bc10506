"""Many adapters on one base: Zipf traffic over 1 to 1,000 of them against traffic of one, loads, switches, memory.

Once in the memory that 200 copies of the largest size take, which holds all of these small ones; once with places for
200, whatever their size.

    python -m benchmarks.lora.many --quick

Registers random adapters (r=16 on q_proj and v_proj) in a folder of its own, starts a server over it and ends it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters import bases
from adapters.registry.base_model import read_base
from adapters.settings import Settings
from benchmarks.harness.frame import Case, alternate, each, median, parser, percentile, publish, say, spread
from benchmarks.harness.registry_fill import LINEAR, RANK, Filler
from benchmarks.harness.served import Served
from benchmarks.harness.services import running
from benchmarks.lora.many_report import cold_loads, panels

_LARGE = 5
_CONCURRENCY = 16


@dataclass(frozen=True)
class Sizes:
    """`counts`: adapters that Zipf's law draws from; `in_memory`: places for them, in the part that has few;
    `requests` a case and round; `steady` for the memory's slope."""

    counts: tuple[int, ...]
    in_memory: int
    requests: int
    steady: int
    switches: int


FULL = Sizes((1, 10, 100, 1000), 200, 160, 3000, 40)
QUICK = Sizes((1, 10, 30), 20, 32, 90, 4)


def main() -> int:
    """Run it; 1 when a request was not answered by the adapter that it named."""
    made = parser("lora.many", __doc__)
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

        def serving(places: dict[str, str]) -> AbstractContextManager[str]:
            return running([sys.executable, "-m", "server"], args.port, environment | places, "/ready")

        memory = (sizes.in_memory + _CONCURRENCY) * read_base(base).adapter_bytes(RANK) / (1 << 30)
        with serving({"SERVER_LORA_MEMORY_GIB": f"{memory:.3f}"}) as url:
            kept = {"memory_gib": round(memory, 2), **_kept(Served(url, args.seed), sizes, args)}
        with serving({"SERVER_MAX_CPU_LORAS": str(sizes.in_memory)}) as url:
            result = _measure(Served(url, args.seed), sizes, args, switched)
    result |= {key: result[key] + kept.pop(key) for key in ("failed", "answered")}
    result["all_in_memory"] = kept
    result["register_ms"] = spread([seconds * 1000 for seconds in filler.seconds])
    publish("many_adapters", args, result, panels(result))
    return 1 if result["failed"] else 0


def _fill(root: Path, base: Path, sizes: Sizes, seed: int) -> tuple[Filler, list[str]]:
    """The adapters; the two revisions of `switch`."""
    filler = Filler(root, base, seed)
    for number in range(max(sizes.counts)):
        filler.add(_name(number), number)
        if number % 100 == 99:
            say(f"{number + 1} adapters registered")
    revisions = [filler.add("switch", 100_000 + number) for number in range(2)]
    for number in range(_LARGE + 1):
        filler.add(f"large{number}", 200_000 + number, LINEAR)
    return filler, revisions


def _kept(served: Served, sizes: Sizes, args: argparse.Namespace) -> dict[str, Any]:
    """Rates where memory holds every adapter, after each of them has answered once."""
    everyone = [_name(number) for number in range(max(sizes.counts))]
    say(f"every adapter once: {served.rate(everyone, _CONCURRENCY):.1f} requests a second")
    rates, seen = _rates(served, sizes, args), served.metrics()
    tiers = {"in_memory": seen['cni_server_adapters{tier="memory"}'], "loads": seen["cni_server_adapter_loads_total"]}
    return {**rates, **tiers, "failed": served.failed, "answered": served.answered}


def _rates(served: Served, sizes: Sizes, args: argparse.Namespace) -> dict[str, Any]:
    draw = random.Random(args.seed)

    def case(key: str, count: int) -> Case[float]:
        return Case((key,), lambda: served.rate(_traffic(draw, count, sizes.requests), _CONCURRENCY))

    rates = alternate([case("one", 1), *(case(str(n), n) for n in sizes.counts)], args.rounds)
    alone = median(rates["one",])
    return {
        "requests_per_second": {"one": alone, **{str(n): median(rates[str(n),]) for n in sizes.counts}},
        "against_one": {str(n): round(median(rates[str(n),]) / alone, 3) for n in sizes.counts},
        "samples": {key: each(rates[key,]) for key in ("one", *map(str, sizes.counts))},
    }


def _traffic(draw: random.Random, count: int, requests: int) -> list[str]:
    weights = [1 / rank for rank in range(1, count + 1)]
    return [_name(number) for number in draw.choices(range(count), weights, k=requests)]


def _measure(served: Served, sizes: Sizes, args: argparse.Namespace, switched: list[str]) -> dict[str, Any]:
    """The same where memory holds few, and what only shows there: loads, evictions, memory's slope, switches."""
    rates = _rates(served, sizes, args)
    steady = served.steady(_traffic(random.Random(args.seed), max(sizes.counts), sizes.steady), _CONCURRENCY)
    # The first proof of effect after a start asks the base too.
    _, *cold = [served.cold(f"large{number}") for number in range(_LARGE + 1)]
    ordinary, after = served.switches("switch", switched, sizes.switches)
    extra = percentile(after, 95) - statistics.median(ordinary)
    return {
        "quick": args.quick,
        "base": args.base,
        "failed": served.failed,
        "answered": served.answered,
        **rates,
        "steady": steady,
        "cold_load_9_mb": {"bytes": served.bytes_of("large0"), **cold_loads(cold)},
        "switch_ms": {
            "ordinary_p50": round(1000 * statistics.median(ordinary), 1),
            "switch_p95": round(1000 * percentile(after, 95), 1),
            "extra_p95": round(1000 * extra, 1),
            "samples": {
                "ordinary": each([1000 * seconds for seconds in ordinary], 1),
                "switched": each([1000 * seconds for seconds in after], 1),
            },
        },
    }


def _name(number: int) -> str:
    return f"a{number:04d}"


if __name__ == "__main__":
    sys.exit(main())
