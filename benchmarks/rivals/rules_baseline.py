"""Rules instead of a model: regular expressions, fuzzy labels and where things stand. The baseline of the evaluation.

    python -m benchmarks.rivals.rules_baseline --out adapters/cni/REVISION

Draws the held-out cards where they are not there, reads them with the same OCR, takes the document as given (as the
other models do), and adds its rows to the evaluation's table. The rules were written on training cards, two of them (a
lone date, second lines) after a look at validation cards, none on these.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from adapters.data.cards import CONDITIONS
from adapters.data.documents import DOCUMENT_NAMES, fields_of
from adapters.evaluation.command import held_out
from adapters.evaluation.kept_scores import keep
from adapters.evaluation.metrics import judge
from adapters.evaluation.run import Truth
from adapters.evaluation.summary import Card, summarise
from adapters.provenance import stamp
from benchmarks.rivals.rules import Line, extract


def main() -> int:
    """Run it; the last line is JSON."""
    args, before = _parser().parse_args(), stamp()
    truths = held_out(args.cards, args.count)
    lines = _lines(args.cards, args.lines, truths)
    cards = [_card(truth, lines[truth.image.name]) for truth in truths]
    rows = _rows(cards)
    if args.out:
        keep(args.out, rows, {"rules": "rules"}, {"concurrency": 1, **before})
    print(json.dumps({"benchmark": "rules_baseline", "cards": len(cards), "rows": rows}, ensure_ascii=False))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals.rules_baseline", description=__doc__)
    parser.add_argument("--cards", type=Path, default=Path("runs/held-out"), help="(default: %(default)s)")
    parser.add_argument("--count", type=int, default=15, help="cards a document and condition (default: %(default)s)")
    parser.add_argument("--lines", type=Path, help="OCR lines read before (default: read now, kept beside the cards)")
    parser.add_argument("--out", type=Path, help="a revision's folder: its evaluation gets these rows")
    return parser


def _lines(cards: Path, given: Path | None, truths: list[Truth]) -> dict[str, list[dict[str, Any]]]:
    """By file; read by `python -m ocr_frontend lines`, with its own progress bar, so that they are today's."""
    path = given or cards / "lines.jsonl"
    if not given:
        subprocess.run([sys.executable, "-m", "ocr_frontend", "lines", str(cards), "--out", str(path)], check=True)
    read = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = {entry["file"]: entry["lines"] for entry in read}
    if any(truth.image.name not in found for truth in truths):
        raise SystemExit(f"{path} does not hold every card of {cards}: leave --lines out.")
    return found


def _card(truth: Truth, read: list[dict[str, Any]]) -> Card:
    lines = [Line(line["text"], tuple(map(tuple, line["box"]))) for line in read if line["text"].strip()]
    values = extract(truth.document, lines)
    kinds = fields_of(truth.document)
    texts = [line["text"] for line in read]
    judged = tuple(judge(key, kind, truth.values[key], values[key], texts) for key, kind in kinds.items())
    return Card(truth.document, truth.condition, "rules", judged, False, {})


def _told(scores: dict[str, Any]) -> dict[str, Any]:
    """Without those of an adapter alone: there is none."""
    return {name: score for name, score in scores.items() if not name.endswith("_alone")}


def _rows(cards: list[Card]) -> list[dict[str, Any]]:
    """One row a document and condition, then one a condition over all."""
    return [
        {"model": "rules", "document": document, "condition": condition, **_told(summarise(group))}
        for document in (*DOCUMENT_NAMES, "all")
        for condition in CONDITIONS
        if (group := [c for c in cards if document in (c.document, "all") and c.condition == condition])
    ]


if __name__ == "__main__":
    sys.exit(main())
