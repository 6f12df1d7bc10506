"""`python -m adapters evaluate`: the held-out cards through the running services."""

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from adapters.data.cards import CONDITIONS, write_all
from adapters.data.documents import DOCUMENT_NAMES
from adapters.errors import EvaluationError
from adapters.evaluation import reliability, report
from adapters.evaluation.reliability import Group
from adapters.evaluation.run import Truth, evaluate, read_truths
from adapters.evaluation.summary import Card, summarise
from adapters.hub.card import write_card
from adapters.provenance import stamp
from adapters.registry.option import kept_in

SEED = 20261121
_ELSEWHERE = Path("runs") / "evaluation"
_LAST = {"rules": 1, "base": 2}  # beside the adapter, in this order


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
    _make(args.out or _ELSEWHERE)  # now, not after the cards were read
    count = args.count * len(CONDITIONS) * len(DOCUMENT_NAMES)
    if not (args.cards / "cards.jsonl").exists() or len(read_truths(args.cards)) != count:
        write_all(args.cards, args.count, seed=SEED, split="test")
    named = {model: _base_of(args.front) if model == "base" else model for model in models}
    cards: list[Card] = []
    answered: dict[str, str] = {}
    read: dict[Path, list[str]] = {}
    for model, name in named.items():
        outcome, answered[model] = _measure(args, model, name, read)
        cards += outcome
    rows = rows_of(cards)
    folder = args.out or _folder_of(args.registry, answered[models[0]])
    keep(folder, rows, answered, {"concurrency": args.concurrency, **before})
    _keep_confidence(folder, [card for card in cards if card.model == models[0]], answered[models[0]], before)
    print(report.table(rows))
    return 0


def _folder_of(registry: Path | None, exact: str) -> Path:
    """A revision's own folder; below _ELSEWHERE for a base, and for an adapter that was dropped in as it is."""
    own = kept_in(exact, registry)
    return own if own.is_dir() and "@" in exact else _make(_ELSEWHERE / exact.replace("/", "-"))


def _make(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be made ({error.strerror}): name a folder with --out.") from error
    return folder


def _base_of(front: str) -> str:
    """The base model's name, from the front's own list."""
    try:
        models = httpx.get(f"{front}/models", timeout=30).json()["models"]
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise EvaluationError(f"The OCR front at {front} does not list its models: start it with make up.") from error
    return str(next(model["id"] for model in models if not model["has_adapter"]))


def _measure(args: argparse.Namespace, model: str, name: str, read: dict[Path, list[str]]) -> tuple[list[Card], str]:
    from rich.progress import Progress

    truths = read_truths(args.cards)
    if model == "base" and args.base_count:
        truths = fewer(truths, args.base_count)
    with Progress() as bar:
        task = bar.add_task(f"evaluating {model}", total=len(truths))
        cards, answered = asyncio.run(
            evaluate(args.front, name, truths, args.concurrency, read, lambda: bar.update(task, advance=1))
        )
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


def keep(folder: Path, rows: list[dict[str, Any]], answered: dict[str, str], about: dict[str, Any]) -> None:
    """Write rows and plot into `folder`, beside those of models measured earlier. `answered`: model to exact name.

    `about`: what the file says of this run; its stamp, and how many cards were read at once.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not there to hold the scores: name a folder with --out.")
    kept_models, kept_rows = _others(folder / "evaluation.json", set(answered))
    body: dict[str, Any] = {
        "seed": SEED,
        "models": kept_models | answered,
        **about,
        "rows": sorted(kept_rows + rows, key=lambda row: _LAST.get(row["model"], 0)),
    }
    (folder / "evaluation.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "evaluation.md").write_text(report.table(body["rows"]), encoding="utf-8")
    title = next((name for model, name in body["models"].items() if model not in _LAST), "base")
    report.plot(body["rows"], f"{title}: held-out cards, the whole path", folder / "evaluation.png")
    _keep_scores(folder / "manifest.json", [row for row in body["rows"] if row["model"] == body["rows"][0]["model"]])
    if (folder / "manifest.json").exists():
        write_card(folder)


def _keep_confidence(folder: Path, cards: list[Card], exact: str, before: dict[str, Any]) -> None:
    """The reliability of the confidences that the front answered, where it answered any. `before`: the run's stamp."""
    groups: dict[str, Group] = {}
    for condition in CONDITIONS:
        fields = [f for card in cards if card.condition == condition for f in card.fields if f.confidence is not None]
        groups[condition] = (np.array([f.confidence for f in fields]), np.array([float(f.exact) for f in fields]))
    found = reliability.figures(groups)
    if not found:
        return
    reliability.plot(groups, f"{exact}: held-out cards", folder / "confidence.png")
    body = {"model": exact, **before, "conditions": found}
    (folder / "confidence.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


def _others(path: Path, measured: set[str]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """What an earlier run on the same cards kept of models that this one did not measure."""
    if not path.exists():
        return {}, []
    before = json.loads(path.read_text(encoding="utf-8"))
    if before["seed"] != SEED:
        return {}, []
    models = {model: name for model, name in before["models"].items() if model not in measured}
    return models, [row for row in before["rows"] if row["model"] in models]


def _keep_scores(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add the scores to a revision's manifest; they are not part of its content, so its name stays true."""
    if not path.exists():
        return
    manifest = json.loads(path.read_text(encoding="utf-8"))
    kept = ("cards", "fields_exact", "fields_normalised", "exact_of_read", "cards_right")
    manifest["scores"] = {f"{row['document']} {row['condition']}": {key: row[key] for key in kept} for row in rows}
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
