"""What every comparison here shares: alternating rounds in one run, both orders, and the publication of the result."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from adapters.provenance import stamp
from benchmarks.harness.record import record

RESULTS = Path("benchmarks/results")
Key = tuple[Hashable, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class Case(Generic[T]):
    """One thing to measure; `key` names it in the samples."""

    key: Key
    run: Callable[[], T]


def alternate(cases: Sequence[Case[T]], rounds: int, warm: int = 1) -> dict[Key, list[T]]:
    """Measure all cases once a round, every other round in reverse, after `warm` rounds that do not count."""
    samples: dict[Key, list[T]] = {case.key: [] for case in cases}
    for number in range(-warm, rounds):
        for case in cases if number % 2 else cases[::-1]:
            got = case.run()
            say(f"{'warm-up' if number < 0 else f'round {number + 1} of {rounds}'}: {case.key} {got}")
            if number >= 0:
                samples[case.key].append(got)
    return samples


def median(values: Sequence[float], digits: int = 3) -> float:
    """Rounded to `digits` places."""
    return round(statistics.median(values), digits)


def each(values: Sequence[float], digits: int = 3) -> list[float]:
    """Every round's value in its order, rounded: what a result keeps under `samples` beside the medians."""
    return [round(value, digits) for value in values]


def percentile(values: Sequence[float], percent: int) -> float:
    """Between the two values around it, in proportion."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, to a tenth."""
    return {"p50": round(statistics.median(values), 1), "p95": round(percentile(values, 95), 1)}


def say(text: str) -> None:
    """Progress, beside the result: standard output's last line is the result alone."""
    print(text, file=sys.stderr, flush=True)


def parser(name: str, doc: str | None, rounds: int = 5) -> argparse.ArgumentParser:
    """`python -m benchmarks.<name>` with the options that all of them have."""
    made = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.set_defaults(stamp=stamp())  # before the run
    made.add_argument("--rounds", type=int, default=rounds, help="rounds that count (default: %(default)s)")
    made.add_argument("--seed", type=int, default=0, help="of weights and prompts (default: %(default)s)")
    cores = len(os.sched_getaffinity(0))
    made.add_argument("--threads", type=int, default=cores, help="that compute (default: every core)")
    made.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON and PNG (default: %(default)s)")
    return made


@dataclass(frozen=True)
class Panel:
    """One chart: `groups` along the axis, a bar of each of `series` in every group; None leaves a gap."""

    title: str
    unit: str
    groups: tuple[str, ...]
    series: dict[str, list[float | None]]


def publish(name: str, args: argparse.Namespace, result: dict[str, Any], panels: Sequence[Panel]) -> None:
    """Write `<name>.json` and `<name>.png` into `args.out`, print the result as one line of JSON."""
    whole = {"benchmark": name, **result, "rounds": args.rounds, "seed": args.seed, "threads": args.threads}
    whole |= args.stamp
    _draw(panels, whole["machine"], record(name, args.out, whole).with_suffix(".png"))


_MOST_STANDING = 8  # groups beside each other whose names can still be read


def _short(value: float) -> str:
    """Three digits, or all of a larger number's before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _draw(panels: Sequence[Panel], where: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl  # heavy

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    heights = [max(3.1, 0.1 * len(panel.groups) * (1 + 2 * len(panel.series))) for panel in panels]
    figure, axes = plt.subplots(len(panels), 1, figsize=(9, 0.6 + sum(heights)), squeeze=False, height_ratios=heights)
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        (_standing if len(panel.groups) <= _MOST_STANDING else _lying)(axis, panel)
        axis.set_title(panel.title, fontsize=9, loc="left")
        axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))  # beside the bars, never over one
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{where['cores']} cores, {where['memory_gib']} GiB, {where['processor']}", fontsize=7, y=0.995)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _standing(axis: Any, panel: Panel) -> None:
    width = 0.8 / len(panel.series)
    for place, (label, values) in enumerate(panel.series.items()):
        at = [group + place * width for group in range(len(values))]
        bars = axis.bar(at, [value or 0 for value in values], width * 0.94, label=label)
        axis.bar_label(bars, ["" if value is None else _short(value) for value in values], fontsize=7)
    axis.set_xticks([group + 0.4 - width / 2 for group in range(len(panel.groups))], panel.groups, fontsize=8)
    axis.set_ylabel(panel.unit, fontsize=8)
    axis.margins(y=0.15)


def _lying(axis: Any, panel: Panel) -> None:
    """From top to bottom: room for many groups with long names."""
    width = 0.8 / len(panel.series)
    for place, (label, values) in enumerate(panel.series.items()):
        at = [group + place * width for group in range(len(values))]
        bars = axis.barh(at, [value or 0 for value in values], width * 0.94, label=label)
        axis.bar_label(bars, ["" if value is None else _short(value) for value in values], fontsize=7, padding=2)
    axis.set_yticks([group + 0.4 - width / 2 for group in range(len(panel.groups))], panel.groups, fontsize=8)
    axis.set_xlabel(panel.unit, fontsize=8)
    axis.margins(x=0.1, y=0.01)
    axis.invert_yaxis()
