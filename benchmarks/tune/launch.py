"""Which launch is fastest on this machine? Tries one change at a time against the launch so far; writes what won.

    python -m benchmarks.tune.launch

Two servers run beside each other, the launch so far and the candidate, and answer modelled cards in turns, one by one
and eight at once. A candidate wins if it is faster by 4 % in the mean of both and slower by more than 2 % in neither.
The winners become a profile that `python -m server` reads and `python -m server explain` shows.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.frame import Case, Panel, alternate, median, parser, publish, say
from benchmarks.harness.services import ask, registry, running, server_command
from benchmarks.tune.candidates import Changes, candidates, joined

_GAIN, _LOSS = 1.04, 0.98
_CROWD = 8
_ONE = 4  # cards one after the other in a round


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        setting = _Setting(args, Path(scratch))
        path = setting.profile_path()
        tried, won = _search(args, setting)
    if won:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"changes": won, "tried": tried}, indent=1) + "\n")
        say(f"written: {path}")
    else:
        if not args.only:
            path.unlink(missing_ok=True)  # what an earlier run found no longer holds
        say(f"the server's own launch stays: nothing was faster by {_GAIN - 1:.0%}")
    labels = tuple(row["candidate"] for row in tried)
    series: dict[str, list[float | None]] = {
        name: [row.get(key) for row in tried] for name, key in (("one card", "one"), (f"{_CROWD} at once", "crowd"))
    }
    publish(
        "tune", args, {"tried": tried, "won": won}, [Panel("Faster than the launch so far", "times", labels, series)]
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("tune.launch", __doc__, rounds=4)
    made.add_argument("--adapter", type=Path, default=None, help="as PEFT writes it (default: the shipped one)")
    made.add_argument("--base", default="embedded", help="what the adapter was trained on (default: %(default)s)")
    made.add_argument("--only", nargs="+", default=[], help="words: candidates whose name holds one of them")
    made.add_argument("--port", type=int, default=8230, help="the first of two ports (default: %(default)s)")
    return made


@dataclass(frozen=True)
class _Setting:
    """What both servers have in common."""

    args: argparse.Namespace
    folder: Path

    def command(self, port: int) -> list[str]:
        from adapters import bases
        from adapters.settings import Settings

        base = bases.resolve(self.args.base, Settings())
        adapter = self.args.adapter or next(Path("adapters/cni").glob("*/adapter_config.json")).parent
        made = self.folder / "registry"
        folder = made if made.is_dir() else registry(self.folder, adapter)
        return server_command(base, folder, port, "--model-name", _base_name(adapter), "--kv-cache-gib", "1")

    def profile_path(self) -> Path:
        """Where the server looks for this machine's profile; it says so itself."""
        command = [*self.command(self.args.port), "--tuned-profile", "none", "explain"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        (line,) = (line for line in said.splitlines() if "bench-tune would write" in line)
        return Path(line.rpartition("would write ")[2].rstrip(")"))

    @contextlib.contextmanager
    def server(self, changes: Changes, port: int) -> Iterator[str]:
        """The address of a server with these changes."""
        path = self.folder / f"profile-{port}.json"
        path.write_text(json.dumps({"changes": changes}))
        with running([*self.command(port), "--tuned-profile", str(path)], port, {}, "/ready") as url:
            yield url


def _base_name(adapter: Path) -> str:
    return Path(json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]).name


def _search(args: argparse.Namespace, setting: _Setting) -> tuple[list[dict[str, Any]], Changes]:
    won: Changes = {}
    # One stream of cards for all comparisons: the launch so far would find those of an earlier one in its prefix cache.
    cards = _cards(args.seed)
    tried: list[dict[str, Any]] = []
    ports = itertools.cycle((args.port, args.port + 1))
    with contextlib.ExitStack() as stack:
        now = stack.enter_context(setting.server(won, next(ports)))
        for candidate in candidates(args.only):
            changes = joined(won, candidate.changes)
            trial = contextlib.ExitStack()
            try:
                other = trial.enter_context(setting.server(changes, next(ports)))
                ratios = _compare(cards, args.rounds, now, other)
            except RuntimeError as error:
                say(f"{candidate.name} does not run: {error}")
                tried.append({"candidate": candidate.name, "runs": False})
                trial.close()
                next(ports)
                continue
            wins = _wins(ratios) and candidate.may_win
            tried.append({"candidate": candidate.name, "changes": candidate.changes, **ratios, "wins": wins})
            say(f"{candidate.name}: {ratios}{', kept' if wins else ''}")
            if wins:
                stack.close()
                stack.push(trial.pop_all())
                now, won = other, changes
            else:
                trial.close()
                next(ports)
    return tried, won


def _wins(ratios: dict[str, float]) -> bool:
    return math.prod(ratios.values()) ** (1 / len(ratios)) >= _GAIN and min(ratios.values()) >= _LOSS


def _compare(cards: Iterator[dict[str, Any]], rounds: int, now: str, other: str) -> dict[str, float]:
    """How many times faster `other` is, for one card at a time and for eight at once."""

    def one(url: str) -> float:
        return sum(ask(url, [card])[0] for card in itertools.islice(cards, _ONE))

    def crowd(url: str) -> float:
        return ask(url, list(itertools.islice(cards, _CROWD)))[0]

    cases = [
        Case((name, place), lambda m=measure, u=url: m(u))  # type: ignore[misc]
        for name, measure in (("one", one), ("crowd", crowd))
        for place, url in enumerate((now, other))
    ]
    samples = alternate(cases, rounds)
    return {name: round(median(samples[name, 0]) / median(samples[name, 1]), 3) for name in ("one", "crowd")}


def modelled_prompts(seed: int) -> Iterator[str]:
    """Prompts of modelled cards of people that no training has seen, as the shipped adapter's contract has them."""
    from adapters.training.contract import contract, render
    from adapters.training.dataset import modelled
    from adapters.training.recipe_data import Data

    data = Data()
    prompts = contract(data.documents)
    for sample in modelled(data, "test", 100_000, seed):
        yield render(prompts, sample.document, sample.lines)


def _cards(seed: int) -> Iterator[dict[str, Any]]:
    """Requests as the front sends them, but for the grammar."""
    for text in modelled_prompts(seed):
        # As many tokens for everyone: an answer that ends early would look fast.
        yield {"model": "bench", "prompt": text, "max_tokens": 24, "ignore_eos": True}


if __name__ == "__main__":
    sys.exit(main())
