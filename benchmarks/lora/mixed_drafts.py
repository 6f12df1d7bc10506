"""Sixteen adapters in one batch against one, with drafts on, as `make up` serves: is a mixed batch as fast, and right?

    python -m benchmarks.lora.mixed_drafts

One server, its registry sixteen copies of a shipped revision under names of their own: to the server they are sixteen
adapters in sixteen slots, so both runs of a round answer the same cards with the same tokens, and differ in nothing but
the mixing. Every answer of the mixed run is held against the same card's by one adapter, token by token. Each run has a
salt of its own for the prefix cache, in which every adapter has its own copy of the prompts' common beginning: before
the clock starts, each of a run's adapters answers a card, so that all of them have it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters import embedded
from adapters.registry.manifest import PromptContract
from benchmarks.harness.frame import Panel, median, parser, publish, say
from benchmarks.harness.recorded_cards import recorded_cards
from benchmarks.harness.served_base import served_base
from benchmarks.harness.services import running, server_command
from benchmarks.lora.drafts_requests import by_contract
from benchmarks.lora.two_requests import Body, Run, Server

_ANSWERS = {"lines": "cni", "object": "cni-object"}


@dataclass(frozen=True)
class Round:
    """The same cards by one adapter and by all of them."""

    one: Run
    many: Run

    @property
    def ratio(self) -> float:
        """Time of one adapter over time mixed: the mixed rate as a share of one adapter's."""
        return self.one.seconds / self.many.seconds

    @property
    def differing(self) -> int:
        """Answers that are not, token by token, those of one adapter."""
        return self.one.differing(self.many.answers)


def main() -> int:
    """Run it; 1 when an answer of a mixed batch differs, or it cannot be run."""
    args = _parser().parse_args()
    try:
        rows = [_row(args, answer, shipped) for answer, shipped in _ANSWERS.items()]
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    about = {"base": served_base().form, "adapters": args.adapters, "at_once": args.at_once}
    publish("mixed_drafts", args, {**about, "rows": rows}, [_panel(rows)])
    return 1 if any(row["answers_differing"] for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    made = parser("lora.mixed_drafts", __doc__, rounds=3)
    made.add_argument("--adapters", type=int, default=16, help="in one batch (default: %(default)s)")
    made.add_argument("--at-once", type=int, default=16, help="requests (default: %(default)s)")
    made.add_argument("--cards", type=int, default=96, help="in a run (default: %(default)s)")
    made.add_argument("--tokens", type=int, default=8, help="drafted at most, 0: no drafts (default: %(default)s)")
    made.add_argument("--port", type=int, default=8280, help="of the server (default: %(default)s)")
    return made


def _row(args: argparse.Namespace, answer: str, shipped: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        names = _copies(Path(folder), shipped, args.adapters)
        options = ("--model-name", embedded.NAME, "--kv-cache-gib", "1", "--max-loras", str(args.adapters))
        command = server_command(served_base().folder, folder, args.port, *options)
        with running(command, args.port, {"SERVER_DRAFT_TOKENS": str(args.tokens)}, "/ready") as url:
            server = Server(url, args.at_once)
            contract, every = server.contract(names[0]), recorded_cards()
            rounds = [_round(args, server, contract, every, names, number) for number in range(-1, args.rounds)][1:]
    return {
        "form": answer,
        "revision": shipped,
        "seconds": {
            "one adapter": median([each.one.seconds for each in rounds]),
            f"{args.adapters} adapters": median([each.many.seconds for each in rounds]),
        },
        "many_over_one": median([each.ratio for each in rounds]),
        "ratios": [round(each.ratio, 3) for each in rounds],
        "answers_compared": sum(len(each.one.answers) for each in rounds),
        "answers_differing": sum(each.differing for each in rounds),
    }


def _copies(registry: Path, shipped: str, count: int) -> list[str]:
    """The names under which the shipped adapter's newest revision stands in the registry."""
    [revision] = [path for path in (Path("adapters") / shipped).iterdir() if (path / "adapter_config.json").exists()]
    names = [f"copy-{number:02}" for number in range(count)]
    for name in names:
        shutil.copytree(revision, registry / name / revision.name)
    return names


def _round(
    args: argparse.Namespace,
    server: Server,
    contract: PromptContract,
    every: list[dict[str, Any]],
    names: list[str],
    number: int,
) -> Round:
    """Round -1 warms up. Every other round is measured in reverse; each has cards of its own."""
    cards = [every[place % len(every)] for place in range((number + 1) * args.cards, (number + 2) * args.cards)]
    runs = {
        "one": [names[0]] * len(cards),
        "many": [names[place % len(names)] for place in range(len(cards))],
    }
    done: dict[str, Run] = {}
    for which in sorted(runs, reverse=number % 2 == 0):
        bodies = [
            Body(f"card {place}", by_contract(card, name, contract))
            for place, (card, name) in enumerate(zip(cards, runs[which], strict=True))
        ]
        salt = f"{number}-{which}"
        server.run([Body(f"first {name}", by_contract(every[-1], name, contract)) for name in set(runs[which])], salt)
        done[which] = server.run(bodies, salt)
    made = Round(done["one"], done["many"])
    say(f"round {number + 1}: ratio {made.ratio:.3f}, {made.differing} answers differ, {made.one.seconds:.2f} s by one")
    return made


def _panel(rows: list[dict[str, Any]]) -> Panel:
    groups = tuple(str(row["form"]) for row in rows)
    names = list(rows[0]["seconds"])
    series: dict[str, list[float | None]] = {name: [row["seconds"][name] for row in rows] for name in names}
    return Panel("The same cards by one adapter and by many, drafts on: less is better", "seconds", groups, series)


if __name__ == "__main__":
    sys.exit(main())
