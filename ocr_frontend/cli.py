"""The command line: `serve` (the default) and `lines`."""

import argparse
import os
import sys
from pathlib import Path

from ocr_frontend.ocr import OcrOptions
from ocr_frontend.onnx_models import cache_root


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ocr_frontend", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    lines = commands.add_parser("lines", help="OCR only: images in, JSON Lines out")
    lines.add_argument("paths", nargs="+", type=Path, metavar="FOLDER_OR_FILE")
    lines.add_argument("--out", type=Path, help="file to write; standard output without it")
    lines.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    lines.add_argument("--det-side", type=int, default=960, help="longest side that detection works at, in pixels")
    given = parser.parse_args(arguments)
    return _lines(given)


def _lines(given: argparse.Namespace) -> int:
    from ocr_frontend.lines import run  # noqa: PLC0415

    options = OcrOptions(cache=cache_root(), threads=given.threads, det_side=given.det_side)
    if given.out is None:
        return run(given.paths, sys.stdout, options, 50_000_000)
    with given.out.open("w", encoding="utf-8") as out:
        return run(given.paths, out, options, 50_000_000)
