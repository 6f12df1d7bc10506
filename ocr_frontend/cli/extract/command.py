"""The command: find the photos, read one after the other, print, and say by the exit code whether all were read."""

import argparse
import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ocr_frontend.cli.extract.output import FORMATS, Record, Writer
from ocr_frontend.cli.extract.sources import Source, open_source
from ocr_frontend.cli.lines import find_images
from ocr_frontend.errors import FrontError
from ocr_frontend.settings import PREFIX, Settings

_AT_ONCE = 2  # one file is sent while another one is read


def add_parser(commands: Any) -> None:
    """Add `extract` to the command line."""
    parser = commands.add_parser("extract", help="photos in, fields out", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FOLDER_OR_FILE")
    parser.add_argument("--document", default="auto", help="of all photos (default: the picture decides)")
    parser.add_argument("--model", help=f"a base, an adapter or a revision ({PREFIX}MODEL)")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="file to write; standard output without it")
    parser.add_argument("--url", help=f"a running front to ask (its key: {PREFIX}CLIENT_KEY); without it OCR runs here")
    parser.add_argument("--server-url", help=f"the model server, where OCR runs here ({PREFIX}SERVER_URL)")


def run(given: argparse.Namespace, settings: Settings) -> int:
    """0: all were read; 1: some were not; 2: there is nothing to read, or nowhere to write."""
    console = Console(stderr=True)
    files = find_images(given.paths)
    if not files:
        console.print("no images found (JPEG, PNG, WebP, TIFF, BMP)")
        return 2
    try:
        with given.out.open("w", encoding="utf-8", newline="") if given.out else nullcontext(sys.stdout) as out:
            writer = Writer(given.format, out)
            failed = asyncio.run(_read_all(files, given, settings, writer, console))
            writer.close()
    except FrontError as error:
        console.print(f"ocr_frontend: {error.message}", markup=False, highlight=False, soft_wrap=True)
        return 1
    except OSError as error:
        console.print(f"ocr_frontend: {given.out}: {error.strerror}", markup=False, highlight=False, soft_wrap=True)
        return 2
    return 1 if failed else 0


async def _read_all(
    files: Sequence[Path], given: argparse.Namespace, settings: Settings, writer: Writer, console: Console
) -> int:
    """How many could not be read. Raises FrontError when none can (the OCR does not load)."""
    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    failed = 0
    async with open_source(given.url, settings) as source:
        with Progress(*columns, console=console, disable=not sys.stderr.isatty() or len(files) < 2) as progress:
            bar = progress.add_task("reading", total=len(files))
            async for record in _in_order(source, files, given.document, given.model or settings.model):
                writer.write(record)
                if record.error is not None:
                    failed += 1
                    console.print(f"{record.file}: {record.error}", markup=False, highlight=False, soft_wrap=True)
                progress.advance(bar)
    return failed


async def _in_order(source: Source, files: Sequence[Path], document: str, model: str) -> AsyncIterator[Record]:
    running: deque[asyncio.Task[Record]] = deque()
    try:
        for file in files:
            running.append(asyncio.create_task(_one(source, file, document, model)))
            if len(running) >= _AT_ONCE:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()


async def _one(source: Source, file: Path, document: str, model: str) -> Record:
    """A file that cannot be read becomes a record with one sentence."""
    try:
        return Record(str(file), answer=await source.extract(file.read_bytes(), document, model))
    except FrontError as error:
        return Record(str(file), error=error.message)
    except OSError as error:
        return Record(str(file), error=f"The file cannot be opened ({error.strerror}).")
    except Exception as error:  # its message may quote the card
        return Record(str(file), error=f"An internal error ({type(error).__name__}).")
