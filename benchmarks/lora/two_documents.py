"""Two documents in one batch, by their own adapters: is a mixed batch as fast as one adapter's, and as right?

    python -m benchmarks.lora.two_documents --data ../shared

One server as `make up` starts it, `cni` on recorded lines of cards, `receipt` on the published lines of receipts, 16
requests at once. A receipt takes several times as long as a card, so that no rate of a mixed batch can stand beside
one adapter's. Compared are times for the same work: `--requests` cards alone and as many receipts alone, against two
runs in which half of these cards and half of these receipts take turns. All four runs have as many requests and end
alike; the ratio is (cards alone + receipts alone) / (both mixed runs), 1 where mixing costs nothing. Each run has a
salt of its own for the prefix cache, so that none finds another's prompts there. Every answer of a mixed run is held
against the same request's answer in a batch of its own kind, token by token.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters import embedded
from adapters.errors import AdaptersError
from benchmarks.harness.frame import Panel, median, parser, publish, say
from benchmarks.harness.served_base import served_base
from benchmarks.harness.services import running, server_command
from benchmarks.lora.two_requests import Body, Run, Server, cards, receipts


@dataclass(frozen=True)
class Round:
    """The four runs over the same requests: each kind alone, then both halves mixed."""

    cards: Run
    receipts: Run
    mixed: tuple[Run, Run]

    @property
    def ratio(self) -> float:
        """Time alone over time mixed: the mixed rate as a share of one adapter's."""
        return (self.cards.seconds + self.receipts.seconds) / sum(run.seconds for run in self.mixed)

    @property
    def differing(self) -> int:
        """Answers of the mixed runs that are not, token by token, those of a batch of one kind."""
        together = {**self.mixed[0].answers, **self.mixed[1].answers}
        return self.cards.differing(together) + self.receipts.differing(together)


def main() -> int:
    """Run it; 1 when an answer of a mixed batch differs, or it cannot be run."""
    args = _parser().parse_args()
    if args.quick:
        args.rounds, args.requests = 1, args.at_once
    try:
        rounds, form, revisions = _measured(args)
    except (RuntimeError, AdaptersError) as error:
        print(error, file=sys.stderr)
        return 1
    publish("two_documents", args, _result(args, rounds, form, revisions), [_panel(rounds)])
    return 1 if any(each.differing for each in rounds) else 0


def _measured(args: argparse.Namespace) -> tuple[list[Round], str, list[str]]:
    """The rounds, the base's form, and the revisions that answered."""
    base = served_base()
    named = ("--model-name", embedded.NAME, "--kv-cache-gib", "1")
    command = server_command(base.folder, args.registry, args.port, *named)
    with running(command, args.port, {}, "/ready") as url:
        server = Server(url, args.at_once)
        first = cards(server.contract("cni"))
        second = receipts(server.contract("receipt"), args.data)
        rounds = [_round(server, first, second, args.requests, number) for number in range(-1, args.rounds)][1:]
        return rounds, base.form, server.revisions


def _parser() -> argparse.ArgumentParser:
    made = parser("lora.two_documents", __doc__)
    made.add_argument("--data", type=Path, required=True, help="the folder in which `receipts` lies")
    made.add_argument("--registry", type=Path, default=Path("adapters"), help="default: %(default)s")
    made.add_argument("--at-once", type=int, default=16, help="requests (default: %(default)s)")
    made.add_argument("--requests", type=int, default=64, help="of each kind, even (default: %(default)s)")
    made.add_argument("--port", type=int, default=8270, help="of the server (default: %(default)s)")
    made.add_argument("--quick", action="store_true", help="one round of one batch, to see that it works")
    return made


def _round(server: Server, first: list[Body], second: list[Body], count: int, number: int) -> Round:
    """Round -1 warms up. Every other round is measured in reverse; each has requests of its own as far as they go."""
    mine = [_slice(bodies, (number + 1) * count, count) for bodies in (first, second)]
    half = count // 2
    runs = {
        "cards": mine[0],
        "mixed 1": taking_turns(mine[0][:half], mine[1][:half]),
        "receipts": mine[1],
        "mixed 2": taking_turns(mine[0][half:], mine[1][half:]),
    }
    order = list(runs) if number % 2 == 0 else list(runs)[::-1]
    done = {name: server.run(runs[name], f"{number}-{name}".replace(" ", "-")) for name in order}
    made = Round(done["cards"], done["receipts"], (done["mixed 1"], done["mixed 2"]))
    say(f"round {number + 1}: ratio {made.ratio:.3f}, {made.differing} answers differ, {_seconds([made])}")
    return made


def _slice(bodies: list[Body], first: int, count: int) -> list[Body]:
    return [bodies[place % len(bodies)] for place in range(first, first + count)]


def taking_turns(one: list[Body], other: list[Body]) -> list[Body]:
    """One of each kind after the other."""
    return [body for pair in zip(one, other, strict=True) for body in pair]


def _seconds(rounds: list[Round]) -> dict[str, float]:
    return {
        "cards": median([each.cards.seconds for each in rounds]),
        "receipts": median([each.receipts.seconds for each in rounds]),
        "mixed, both runs": median([sum(run.seconds for run in each.mixed) for each in rounds]),
    }


def _result(args: argparse.Namespace, rounds: list[Round], form: str, revisions: list[str]) -> dict[str, Any]:
    return {
        "quick": args.quick, "base": form, "revisions": revisions, "at_once": args.at_once,
        "requests_of_each": args.requests, "seconds": _seconds(rounds),
        "mixed_over_alone": median([each.ratio for each in rounds]),
        "ratios": [round(each.ratio, 3) for each in rounds],
        "answers_compared": sum(len(each.cards.answers) + len(each.receipts.answers) for each in rounds),
        "answers_differing": sum(each.differing for each in rounds),
        "prompt_tokens": {
            "cards": sum(each.cards.prompt_tokens for each in rounds) // (len(rounds) * args.requests),
            "receipts": sum(each.receipts.prompt_tokens for each in rounds) // (len(rounds) * args.requests),
        },
    }  # fmt: skip


def _panel(rounds: list[Round]) -> Panel:
    seconds = _seconds(rounds)
    groups = ("each kind alone", "mixed")
    series: dict[str, list[float | None]] = {
        "cards": [seconds["cards"], None],
        "receipts": [seconds["receipts"], None],
        "both together": [
            median([each.cards.seconds + each.receipts.seconds for each in rounds]), seconds["mixed, both runs"]
        ],
    }  # fmt: skip
    return Panel("The same cards and receipts, alone and mixed: less is better", "seconds", groups, series)


if __name__ == "__main__":
    sys.exit(main())
