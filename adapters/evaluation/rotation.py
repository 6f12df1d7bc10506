"""`python -m adapters turns`: held-out cards upright, turned by quarters, and tilted, through the running services."""

import argparse
import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from adapters.data.cards import PLAIN, write_cards
from adapters.data.documents import DOCUMENT_NAMES
from adapters.data.rotated import TURNS, Turn, turned
from adapters.evaluation.kept_scores import SEED
from adapters.evaluation.progress import counted
from adapters.evaluation.run import Truth, evaluate, read_truths
from adapters.evaluation.summary import Card, summarise
from adapters.markdown import markdown_table
from adapters.provenance import stamp
from adapters.registry.option import kept_in

_COLUMNS = ("cards", "fields_exact", "fields_ceiling", "cards_right", "ocr_p50_ms")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "turns",
        help="measure turned and tilted pictures of the held-out cards",
        description="The same held-out cards upright, turned by 90, 180 and 270 degrees, and tilted by 10 to 25 "
        "degrees. Writes turns.json and turns.md beside the revision. 80 cards take about eight minutes on two cores.",
    )
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--model", default="cni", help="alias or exact revision (default: %(default)s)")
    parser.add_argument("--count", type=int, default=80, help="cards of the held-out set (default: %(default)s)")
    parser.add_argument("--cards", type=Path, default=Path("runs/held-out"), help="(default: %(default)s)")
    parser.add_argument(
        "--work", type=Path, default=Path("runs/turned"), help="for the pictures (default: %(default)s)"
    )
    parser.add_argument("--concurrency", type=int, default=2, help="cards at a time (default: %(default)s)")
    parser.add_argument("--turn", action="append", choices=TURNS, help="may be given again (default: all)")
    parser.add_argument("--out", type=Path, help="folder of the results (default: the revision's folder)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    before = stamp()
    if not (args.cards / "cards.jsonl").exists():
        write_cards(args.cards, args.count, seed=SEED, split="test", conditions=PLAIN)
    truths = read_truths(args.cards)[: args.count]
    rows: list[dict[str, Any]] = []
    exact = args.model
    for turn in args.turn or TURNS:
        pictures = _turned(truths, turn, args.work / turn)
        with counted(turn, len(pictures)) as done:
            cards, exact = asyncio.run(evaluate(args.front, args.model, pictures, args.concurrency, {}, done))
        rows += _rows(turn, cards)
    table = _table(rows)
    folder = args.out or kept_in(exact)
    if folder.is_dir():
        body = {"seed": SEED, "model": exact, **before, "rows": rows}
        (folder / "turns.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        (folder / "turns.md").write_text(table, encoding="utf-8")
    print(table)
    return 0


def _turned(truths: Sequence[Truth], turn: Turn, folder: Path) -> list[Truth]:
    """The cards' pictures in `folder`, turned; tilts depend on the seed and the file alone."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for truth in truths:
        path = folder / truth.image.name
        rng = random.Random(f"tilt:{SEED}:{truth.image.name}")
        turned(Image.open(truth.image), turn, rng).save(path, quality=95)
        found.append(replace(truth, image=path))
    return found


def _rows(turn: Turn, cards: list[Card]) -> list[dict[str, Any]]:
    """One row a document, and one over all."""
    groups = {name: [card for card in cards if card.document == name] for name in DOCUMENT_NAMES} | {"all": cards}
    return [{"turn": turn, "document": name, **summarise(group)} for name, group in groups.items() if group]


def _table(rows: list[dict[str, Any]]) -> str:
    heads = ("turn", "document", "cards", "fields exact", "OCR ceiling", "cards right", "OCR p50, ms")
    cells = []
    for row in rows:
        shares = [f"{row[key]:.1%}" for key in _COLUMNS[1:4]]
        cells.append([row["turn"], row["document"], row["cards"], *shares, f"{row.get('ocr_p50_ms', 0):.0f}"])
    return markdown_table(heads, cells) + "\n"
