"""Which adapter should make room, and how far is that from the best that can be? A simulation.

    python -m benchmarks.registry.eviction

Zipf's law over 1,000 adapters with places for 200, as `many_adapters` asks them, for two days: once steady, once with a
daily rhythm (each adapter has eight hours of its own; outside of them it is asked a tenth as often). No server runs:
the share of requests that wait for a load is counted on the second day. Two floors: who knows every request to come
(Belady), and who knows how often each adapter is asked at each hour, but not when. Then places by memory instead of by
number: what 200 copies of the largest size take holds more of small ones. The last line is one JSON document.
"""

import argparse
import itertools
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from adapters.provenance import stamp
from benchmarks.registry.eviction_policies import Arc, Counted, LeastRecent, Policy, Rhythmic, S3Fifo, TinyLfu, belady

_HOURS = 24
_SLOT = 1800  # seconds for which shares are constant
_AWAY = 4  # hours to either side of an adapter's busiest one
_QUIET = 0.1
_HALF_LIVES = (600, 3600, 4 * 3600)
# MiB of a copy of the embedded base, with what lies beside it (results/memory.json, server/tiers.py): rank 16 on q and
# v, and on every linear layer.
_SMALL, _LARGE = 2.1, 13.9


def main() -> int:
    """Simulate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry.eviction", description=__doc__)
    parser.formatter_class = argparse.RawTextHelpFormatter
    parser.add_argument("--adapters", type=int, default=1000)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--per-day", type=int, default=40_000, help="requests (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/eviction.json"))
    args, before = parser.parse_args(), stamp()
    result = {
        "benchmark": "eviction",
        **{key: getattr(args, key) for key in ("adapters", "places", "per_day", "seed")},
        "share_that_waits_for_a_load": {
            name: _shares(args, rhythm) for name, rhythm in (("steady", False), ("daily rhythm", True))
        },
        **before,
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 0


def _shares(args: argparse.Namespace, rhythm: bool) -> dict[str, float]:
    trace, places = list(_traffic(args, rhythm)), args.places
    mixed = [_LARGE if number % 3 == 2 else _SMALL for number in range(args.adapters)]
    policies: dict[str, Policy] = {
        "least recently used": LeastRecent(places),
        "ARC": Arc(places),
        "S3-FIFO": S3Fifo(places),
        "W-TinyLFU": TinyLfu(places),
        **{f"least popular, half-life {half_life} s": Counted(places, half_life) for half_life in _HALF_LIVES},
        "least popular, an hour and the days before": Rhythmic(places),
        "the same, loading ahead": Rhythmic(places, ahead=True),
        "places by memory, all adapters small": Rhythmic(places * _LARGE, [_SMALL] * args.adapters),
        "places by memory, every third large": Rhythmic(places * _LARGE, mixed),
        "places by memory, all adapters large": Rhythmic(places * _LARGE, [_LARGE] * args.adapters),
    }
    half = len(trace) // 2
    found = {
        "floor: knows all requests": belady(trace, places),
        "floor: knows all shares": round(sum(_missed(args, rhythm, slot) for slot in range(48)) / 48, 3),
    }
    for name, policy in policies.items():
        misses = [not policy.hit(adapter, now) for now, adapter in trace]
        found[name] = round(sum(misses[half:]) / half, 3)
    return found


def _traffic(args: argparse.Namespace, rhythm: bool) -> Iterator[tuple[float, int]]:
    """Time in seconds and adapter of each request of two days."""
    dice = random.Random(args.seed)
    busiest = [dice.random() * _HOURS for _ in range(args.adapters)]
    slots = _HOURS * 3600 // _SLOT
    count = args.per_day // slots
    for slot in range(2 * slots):
        shares = _at(busiest, rhythm, slot)
        drawn = dice.choices(range(args.adapters), cum_weights=list(itertools.accumulate(shares)), k=count)
        for index, adapter in enumerate(drawn):
            yield slot * _SLOT + index * _SLOT / count, adapter


def _at(busiest: list[float], rhythm: bool, slot: int) -> list[float]:
    hour = slot * _SLOT / 3600 % _HOURS
    return [
        (_QUIET if rhythm and min((hour - peak) % _HOURS, (peak - hour) % _HOURS) > _AWAY else 1.0) / (rank + 1)
        for rank, peak in enumerate(busiest)
    ]


def _missed(args: argparse.Namespace, rhythm: bool, slot: int) -> float:
    """Requests are drawn one by one, so the best is to keep those that are asked most often now."""
    dice = random.Random(args.seed)
    shares = sorted(_at([dice.random() * _HOURS for _ in range(args.adapters)], rhythm, slot), reverse=True)
    return 1 - sum(shares[: args.places]) / sum(shares)


if __name__ == "__main__":
    sys.exit(main())
