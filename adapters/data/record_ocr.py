"""Recorded samples: real OCR lines of drawn cards with their targets, small enough to keep beside a recipe.

Training then needs no OCR engine, and the same file gives the same weights.
"""

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.data.align import align
from adapters.data.json_lines import rows
from adapters.data.lines import Line, polygon_of
from adapters.data.people import Record
from adapters.data.samples import Sample
from adapters.errors import DataError


def join(cards: Path, lines: Path) -> Iterator[Sample]:
    """Samples of the cards in `cards` (cards.jsonl) that `lines` (`python -m ocr_frontend lines`) has read."""
    read = {entry["file"]: entry["lines"] for _, entry in rows(lines, "python -m ocr_frontend lines")}
    for _, truth in rows(cards, "python -m adapters cards"):
        if truth["file"] not in read:
            raise DataError(
                f"{lines} has no lines of {truth['file']}: read the whole folder with python -m ocr_frontend lines."
            )
        record = Record(truth["document"], truth["values"], truth["printed"], truth["extras"])
        found = [Line(line["text"], line["confidence"], polygon_of(line["box"])) for line in read[truth["file"]]]
        polygons = {key: polygon_of(box) for key, box in truth["polygons"].items()}
        yield Sample(record, found, align(record, polygons, found))


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`python -m adapters record`."""
    parser = subparsers.add_parser(
        "record",
        help="keep real OCR lines of drawn cards as training samples",
        description="Join the truth of drawn cards with the lines that a real OCR read on them: training samples.",
    )
    parser.add_argument("folders", type=Path, nargs="+", help="folders with cards.jsonl and lines.jsonl")
    parser.add_argument("--out", type=Path, required=True, help="for example adapters/recipes/recorded.jsonl.gz")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    samples = [sample for folder in args.folders for sample in join(folder / "cards.jsonl", folder / "lines.jsonl")]
    body = "".join(json.dumps(_kept(sample), ensure_ascii=False) + "\n" for sample in samples)
    # No time and no name in the header: the same samples give the same bytes.
    with args.out.open("wb") as file, gzip.GzipFile("", "wb", mtime=0, fileobj=file) as packed:
        packed.write(body.encode())
    print(f"{len(samples)} samples in {args.out}, {args.out.stat().st_size // 1024} KiB")
    return 0


def _kept(sample: Sample) -> dict[str, Any]:
    """What training needs of a sample; blank lines are dropped and the rest numbered anew, as the front does."""
    from adapters.training.dataset import labelled

    kept = labelled(sample)
    return {"document": kept.document, "lines": kept.lines, "targets": kept.targets}
