"""Which adapter should make room: least recently used, or least popular by a count that halves? A simulation.

    python -m benchmarks.registry.eviction

Zipf's law over 1,000 adapters with places for 200, as `many_adapters` asks them, for two days: once steady, once with a
daily rhythm (each adapter has eight hours of its own; outside of them it is asked a tenth as often). No server runs:
the share of requests that wait for a load is counted on the second day. The last line is one JSON document.
"""

import argparse
import itertools
import json
import random
import sys
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from adapters import machine

_HOURS = 24
_SLOT = 1800  # seconds for which shares are constant
_AWAY = 4  # hours to either side of an adapter's busiest one
_QUIET = 0.1
_HALF_LIVES = (600, 3600, 4 * 3600)


def main() -> int:
    """Simulate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry.eviction", description=__doc__)
    parser.formatter_class = argparse.RawTextHelpFormatter
    parser.add_argument("--adapters", type=int, default=1000)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--per-day", type=int, default=40_000, help="requests (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/eviction.json"))
    args = parser.parse_args()
    rows = {}
    for name, rhythm in (("steady", False), ("daily rhythm", True)):
        trace = list(_traffic(args, rhythm))
        rows[name] = {"least recently used": _least_recent(trace, args.places)}
        for half_life in _HALF_LIVES:
            rows[name][f"least popular, half-life {half_life} s"] = _least_popular(trace, args.places, half_life)
    result = {
        "benchmark": "eviction",
        **{key: getattr(args, key) for key in ("adapters", "places", "per_day", "seed")},
        "share_that_waits_for_a_load": rows,
        "machine": machine.describe(),
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 0


def _traffic(args: argparse.Namespace, rhythm: bool) -> Iterator[tuple[float, int]]:
    """Time in seconds and adapter of each request of two days."""
    dice = random.Random(args.seed)
    busiest = [dice.random() * _HOURS for _ in range(args.adapters)]
    slots = _HOURS * 3600 // _SLOT
    count = args.per_day // slots
    for slot in range(2 * slots):
        hour = slot * _SLOT / 3600 % _HOURS
        shares = [
            (_QUIET if rhythm and min((hour - peak) % _HOURS, (peak - hour) % _HOURS) > _AWAY else 1.0) / (rank + 1)
            for rank, peak in enumerate(busiest)
        ]
        drawn = dice.choices(range(args.adapters), cum_weights=list(itertools.accumulate(shares)), k=count)
        for index, adapter in enumerate(drawn):
            yield slot * _SLOT + index * _SLOT / count, adapter


def _least_recent(trace: list[tuple[float, int]], places: int) -> float:
    loaded: OrderedDict[int, None] = OrderedDict()
    misses = 0
    for index, (_, adapter) in enumerate(trace):
        if adapter in loaded:
            loaded.move_to_end(adapter)
            continue
        misses += index >= len(trace) // 2
        if len(loaded) >= places:
            loaded.popitem(last=False)
        loaded[adapter] = None
    return round(misses / (len(trace) // 2), 3)


def _least_popular(trace: list[tuple[float, int]], places: int, half_life: float) -> float:
    """As server/control/popularity.py counts."""
    counts: dict[int, tuple[float, float]] = {}
    loaded: set[int] = set()
    misses = 0

    def popularity(adapter: int, now: float) -> float:
        count, then = counts.get(adapter, (0.0, now))
        return float(count * 0.5 ** ((now - then) / half_life))

    for index, (now, adapter) in enumerate(trace):
        counts[adapter] = (popularity(adapter, now) + 1, now)
        if adapter in loaded:
            continue
        misses += index >= len(trace) // 2
        if len(loaded) >= places:
            loaded.remove(min(loaded, key=lambda other, at=now: popularity(other, at)))  # type: ignore[misc]
        loaded.add(adapter)
    return round(misses / (len(trace) // 2), 3)


if __name__ == "__main__":
    sys.exit(main())
