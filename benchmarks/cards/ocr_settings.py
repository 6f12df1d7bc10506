"""Settings of the OCR against each other: processor time a card, and how many field values it reads exactly.

    python -m benchmarks.cards.ocr_settings --count 40

Every candidate reads the same validation cards in a process of its own, one after the other, alternating over rounds so
that a busy neighbour is everybody's. The figure to compare is `processor_p50_ms`: unlike the wall clock it hardly
moves when something else runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.data.cards import PLAIN, write_cards
from adapters.data.documents import fields_of
from adapters.evaluation.metrics import readable, written
from adapters.evaluation.run import read_truths
from adapters.provenance import stamp

SEED = 20261123
_PREFIX = "OCR_FRONT_OCR_"
_PADDLE: dict[str, int | str] = {
    "engine": "onnxruntime", "det_side": 960, "rec_width": 320, "rec_batch": 6, "script": "any",
}  # fmt: skip
# The first is what the others are compared with.
CANDIDATES: dict[str, dict[str, int | str]] = {
    "as PaddleOCR has it": _PADDLE,
    "narrow lines not padded": _PADDLE | {"rec_width": 48},
    "lines one by one": _PADDLE | {"rec_width": 48, "rec_batch": 1},
    "detection at 800": _PADDLE | {"det_side": 800, "rec_width": 48, "rec_batch": 1},
    "detection at 736": _PADDLE | {"det_side": 736, "rec_width": 48, "rec_batch": 1},
    "detection at 640": _PADDLE | {"det_side": 640, "rec_width": 48, "rec_batch": 1},
    "OpenVINO": _PADDLE | {"engine": "openvino"},
    "OpenVINO, Latin script": _PADDLE | {"engine": "openvino", "script": "latin"},
}


def main() -> int:
    """Run it; the last line is JSON."""
    args, before = _parser().parse_args(), stamp()
    names = args.only or list(CANDIDATES)
    with tempfile.TemporaryDirectory() as folder:
        cards = args.cards or Path(folder) / "cards"
        if not (cards / "cards.jsonl").exists():
            write_cards(cards, args.count, seed=SEED, split="valid", conditions=PLAIN)
        read: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for turn in range(args.rounds):
            for name in names:
                print(f"round {turn + 1}/{args.rounds}: {name}", file=sys.stderr)
                read[name] += _read(cards, args.count, args.threads, CANDIDATES[name])
        rows = [{"settings": name, **CANDIDATES[name], **_summary(cards, args.count, read[name])} for name in names]
    for row in rows:
        row["processor_ratio"] = round(row["processor_p50_ms"] / rows[0]["processor_p50_ms"], 3)
        print(row, file=sys.stderr)
    result = {"benchmark": "ocr_settings", "seed": SEED, "cards": args.count, "threads": args.threads, "rows": rows}
    print(json.dumps(result | before))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cards.ocr_settings", description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="cards, half of them photos (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="times each candidate reads them (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of the OCR (default: %(default)s)")
    parser.add_argument("--cards", type=Path, help="cards drawn before, by python -m adapters cards")
    parser.add_argument("--only", action="append", choices=list(CANDIDATES), help="may be given again")
    return parser


def _read(cards: Path, count: int, threads: int, settings: Mapping[str, int | str]) -> list[dict[str, Any]]:
    """One record a card, as `python -m ocr_frontend lines` writes them; the first cards warm up and come twice."""
    files = [str(truth.image) for truth in read_truths(cards)[:count]]
    command = [sys.executable, "-m", "ocr_frontend", "lines", *files[:4], *files, "--threads", str(threads)]
    named = {_PREFIX + name.upper(): str(value) for name, value in settings.items()}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **named})
    return [json.loads(line) for line in done.stdout.splitlines()][len(files[:4]) :]


def _summary(cards: Path, count: int, records: list[dict[str, Any]]) -> dict[str, float]:
    """Times over all rounds, and the share of field values that stand in the text exactly."""
    lines = {record["file"]: [line["text"] for line in record["lines"]] for record in records}
    held = [
        readable(kind, str(written(kind, value)), lines[truth.image.name])
        for truth in read_truths(cards)[:count]
        for key, kind in fields_of(truth.document).items()
        if (value := truth.values[key]) is not None
    ]
    return {
        "values": len(held),
        "values_read": round(sum(held) / len(held), 5),
        "lines_a_card": round(statistics.fmean(len(record["lines"]) for record in records), 2),
        **{
            f"{clock}_p50_ms": round(1000 * statistics.median(record["seconds"][clock] for record in records), 1)
            for clock in ("processor", "wall")
        },
    }


if __name__ == "__main__":
    sys.exit(main())
