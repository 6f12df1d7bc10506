"""`python -m ocr_frontend lines`: OCR alone, images in, JSON Lines out. Feeds training data and evaluation."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.unanswered import UnansweredLabels
from ocr_frontend.errors import FrontError
from ocr_frontend.ocr.images import Limits, decode
from ocr_frontend.ocr.look import flipped_back
from ocr_frontend.ocr.orientation import CountLabels
from ocr_frontend.ocr.reader import OcrOptions, PaddleReader, Reader
from ocr_frontend.ocr.scan import as_sent, see
from ocr_frontend.ocr.unanswered import FindUnanswered, none_unanswered

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".pdf", ".heic", ".heif"}


def find_images(paths: list[Path]) -> list[Path]:
    """The files given, and the images in the folders given, sorted within each folder."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES))
        else:
            found.append(path)
    return found


def read_lines(
    reader: Reader,
    file: Path,
    limits: Limits,
    count_labels: CountLabels,
    find_unanswered: FindUnanswered = none_unanswered,
) -> dict[str, object]:
    """One image's record: `{"file", "size": [width, height], "lines": [{"text", "confidence", "box"}], "seconds"}`."""
    data = file.read_bytes()
    image = decode(data, limits)
    began, computed = time.perf_counter(), time.process_time()
    seen = see(reader, data, image, limits, count_labels=count_labels, find_unanswered=find_unanswered)
    found = as_sent(image, flipped_back(seen.lines, image.pixels.shape[1]) if seen.mirrored else seen.lines)
    seconds = {"wall": time.perf_counter() - began, "processor": time.process_time() - computed}
    lines = [{"text": line.text, "confidence": line.confidence, "box": line.box} for line in found]
    return {"file": file.name, "size": list(image.size), "lines": lines, "seconds": seconds}


def run(paths: list[Path], out: TextIO, options: OcrOptions, max_pixels: int) -> int:
    """Write one record an image; an image that cannot be read is named on stderr and left out. The exit code."""
    console = Console(stderr=True)
    files = find_images(paths)
    if not files:
        console.print("no images found (JPEG, PNG, WebP, TIFF, BMP)")
        return 2
    try:
        with console.status("loading PaddleOCR"):
            reader, classifier = PaddleReader(options), Classifier(builtin())
    except FrontError as error:
        console.print(f"OCR: {error.message}", markup=False)
        return 1
    find_unanswered = UnansweredLabels(classifier).find
    limits, failed = Limits(max_pixels, detection_side=options.det_side), 0
    for file in _with_progress(files, console):
        try:
            record = read_lines(reader, file, limits, classifier.labels, find_unanswered)
        except (FrontError, OSError) as error:
            failed += 1
            reason = error.message if isinstance(error, FrontError) else error.strerror
            console.print(f"{file}: {reason}", markup=False)
            continue
        out.write(json.dumps(record, ensure_ascii=False) + "\n")
        out.flush()
    return 1 if failed else 0


def _with_progress(files: list[Path], console: Console) -> Iterator[Path]:
    columns = (TextColumn("OCR"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        yield from progress.track(files)
