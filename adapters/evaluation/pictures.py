"""`python -m adapters evaluate-pictures`: your own pictures of cards and what stands on them, through the services.

What is written holds scores alone: no value, no text, no picture.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.data.documents import DOCUMENT_NAMES, DocumentName, fields_of
from adapters.data.json_lines import rows
from adapters.errors import DataError
from adapters.evaluation import reliability, report
from adapters.evaluation.command import rows_of
from adapters.evaluation.kept_scores import make_folder
from adapters.evaluation.progress import counted
from adapters.evaluation.run import Truth, evaluate
from adapters.evaluation.summary import Card
from adapters.provenance import stamp

_LISTING = "cards.jsonl"
_SHAPE = 'one JSON a line, {"file": "a.jpg", "document": "cni-2018-recto", "values": {every field, or null}}'


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate-pictures",
        help="measure a model on your own pictures of cards, through the running services",
        description="Send the pictures of each folder to the OCR front and compare every field with what you say "
        f"stands on them, in the folder's {_LISTING}: {_SHAPE}. Dates as 31.12.1990, heights as 1.75, sex as M or F, "
        "names to the letter. Writes scores without any value, and prints a table with a row a folder and document.",
    )
    parser.add_argument("folders", type=Path, nargs="+", help=f"folders of pictures with a {_LISTING}")
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--key", help="the front's key, where it wants one")
    parser.add_argument("--model", default="cni", help="alias or exact revision (default: %(default)s)")
    parser.add_argument("--named", action="store_true", help="tell the front which document each is (default: auto)")
    parser.add_argument("--concurrency", type=int, default=2, help="pictures at a time (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/evaluation/pictures"), help="folder of the scores (default: %(default)s)"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    before = stamp()
    truths = [truth for folder in args.folders for truth in read_labelled(folder)]
    make_folder(args.out)  # now, not after the pictures were read
    cards, exact = _measured(args, truths)
    body = {
        "model": exact, "document": "named" if args.named else "auto", **before, "rows": rows_of(cards),
        "confidence": _confidence(cards, exact, args.out),
    }  # fmt: skip
    (args.out / "pictures.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    table = report.table(body["rows"])
    (args.out / "pictures.md").write_text(table, encoding="utf-8")
    print(table)
    return 0


def read_labelled(folder: Path) -> list[Truth]:
    """The folder's pictures and what stands on them. Raises DataError with the line that is wrong."""
    found = []
    for number, entry in rows(folder / _LISTING):
        where = f"{folder / _LISTING}, line {number}"
        name, document, values = (entry.get(key) for key in ("file", "document", "values"))
        if not isinstance(name, str) or not isinstance(values, dict):
            raise DataError(f"{where}, has no `file` or no `values`: {_SHAPE}.")
        if document not in DOCUMENT_NAMES:
            raise DataError(f"{where}: `document` is none of {', '.join(DOCUMENT_NAMES)}.")
        if not (folder / name).is_file():
            raise DataError(f"{where}: {name} is not in {folder}.")
        found.append(Truth(folder / name, document, folder.name, _complete(where, document, values)))
    if not found:
        raise DataError(f"{folder / _LISTING} names no picture: {_SHAPE}.")
    return found


def _complete(where: str, document: DocumentName, values: dict[str, Any]) -> dict[str, str | None]:
    keys = fields_of(document)
    if set(keys) != set(values):
        wrong = sorted(set(keys) ^ set(values))
        raise DataError(f"{where}: `values` of {document} has to hold {', '.join(keys)}, each once; see {wrong[0]}.")
    if odd := [key for key, value in values.items() if value is not None and not isinstance(value, str)]:
        raise DataError(f"{where}: `{odd[0]}` is no text; null says that the card does not show it.")
    return dict(values)


def _measured(args: argparse.Namespace, truths: Sequence[Truth]) -> tuple[list[Card], str]:
    with counted("reading pictures", len(truths)) as done:
        return asyncio.run(
            evaluate(
                args.front, args.model, truths, args.concurrency, {}, done,
                document=None if args.named else "auto", key=args.key,
            )
        )  # fmt: skip


def _confidence(cards: Sequence[Card], exact: str, out: Path) -> dict[str, dict[str, float]]:
    """By folder how far the confidences can be trusted; nothing where the front answered none."""
    groups = reliability.by_condition(cards, dict.fromkeys(card.condition for card in cards))
    found = reliability.figures(groups)
    if found:
        reliability.plot(groups, f"{exact}: own pictures", out / "confidence.png")
    return found
