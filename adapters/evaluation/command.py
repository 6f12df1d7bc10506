"""`python -m adapters evaluate`: the held-out cards through the running services."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from adapters.data.cards import CONDITIONS, write_all
from adapters.data.documents import DOCUMENT_NAMES
from adapters.errors import EvaluationError
from adapters.evaluation import report
from adapters.evaluation.kept_scores import SEED, keep, keep_confidence, make_folder
from adapters.evaluation.progress import counted
from adapters.evaluation.run import Truth, evaluate, read_truths
from adapters.evaluation.summary import Card, summarise
from adapters.provenance import stamp
from adapters.registry.option import kept_in

_ELSEWHERE = Path("runs") / "evaluation"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure models on the held-out cards, through the running services",
        description="Draw the held-out cards (people, places and fonts that training never saw), send each "
        "to the OCR front, compare every field with the truth, and write evaluation.json, .md and .png.",
    )
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--model", action="append", help="may be given again; 'base' is the base alone (default: cni)")
    parser.add_argument("--count", type=int, default=15, help="cards a document and condition (default: %(default)s)")
    parser.add_argument("--base-count", type=int, help="fewer cards for the base alone, which answers in many words")
    parser.add_argument(
        "--cards", type=Path, default=Path("runs/held-out"), help="where the drawn cards lie (default: %(default)s)"
    )
    parser.add_argument("--concurrency", type=int, default=2, help="cards at a time (default: %(default)s)")
    parser.add_argument(
        "--registry", type=Path, help="where a revision keeps its scores (default: adapters where it ships, else yours)"
    )
    parser.add_argument(
        "--out", type=Path, help=f"where to write (default: the first model's revision folder, else below {_ELSEWHERE})"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    before, models = stamp(), args.model or ["cni"]
    make_folder(args.out or _ELSEWHERE)  # now, not after the cards were read
    truths = held_out(args.cards, args.count)
    named = {model: _base_of(args.front) if model == "base" else model for model in models}
    cards: list[Card] = []
    answered: dict[str, str] = {}
    read: dict[Path, list[str]] = {}
    for model, name in named.items():
        outcome, answered[model] = _measure(args, model, name, truths, read)
        cards += outcome
    rows = rows_of(cards)
    folder = args.out or _folder_of(args.registry, answered[models[0]])
    keep(folder, rows, answered, {"concurrency": args.concurrency, **before})
    keep_confidence(folder, [card for card in cards if card.model == models[0]], answered[models[0]], before)
    print(report.table(rows))
    return 0


def _folder_of(registry: Path | None, exact: str) -> Path:
    """A revision's own folder; below _ELSEWHERE for a base, and for an adapter that was dropped in as it is."""
    own = kept_in(exact, registry)
    return own if own.is_dir() and "@" in exact else make_folder(_ELSEWHERE / exact.replace("/", "-"))


def _base_of(front: str) -> str:
    """The base model's name, from the front's own list."""
    try:
        models = httpx.get(f"{front}/models", timeout=30).json()["models"]
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise EvaluationError(f"The OCR front at {front} does not list its models: start it with make up.") from error
    return str(next(model["id"] for model in models if not model["has_adapter"]))


def held_out(folder: Path, count: int) -> list[Truth]:
    """`count` cards a document and condition, drawn into `folder` where they do not lie there."""
    if not (folder / "cards.jsonl").exists() or len(read_truths(folder)) != count * len(CONDITIONS) * len(
        DOCUMENT_NAMES
    ):
        write_all(folder, count, seed=SEED, split="test")
    return read_truths(folder)


def _measure(
    args: argparse.Namespace, model: str, name: str, truths: list[Truth], read: dict[Path, list[str]]
) -> tuple[list[Card], str]:
    if model == "base" and args.base_count:
        truths = fewer(truths, args.base_count)
    with counted(f"evaluating {model}", len(truths)) as done:
        cards, answered = asyncio.run(evaluate(args.front, name, truths, args.concurrency, read, done))
    return [replace(card, model=model) for card in cards], answered


def fewer(truths: Sequence[Truth], count: int) -> list[Truth]:
    """The first `count` cards of each document and condition."""
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for truth in truths:
        seen[truth.document, truth.condition] += 1
        if seen[truth.document, truth.condition] <= count:
            kept.append(truth)
    return kept


def rows_of(cards: list[Card]) -> list[dict[str, Any]]:
    """One row a group, then one a model and condition over all documents."""
    groups: dict[tuple[str, str, str], list[Card]] = {}
    for card in cards:
        groups.setdefault((card.model, card.document, card.condition), []).append(card)
        groups.setdefault((card.model, "all", card.condition), []).append(card)
    keys = sorted(groups, key=lambda key: (key[0] == "base", key[1] == "all", key[2], key[1]))
    return [{"model": m, "document": d, "condition": c, **summarise(groups[m, d, c])} for m, d, c in keys]
