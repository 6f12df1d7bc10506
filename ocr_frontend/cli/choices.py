"""`python -m ocr_frontend choices`: cards read with a model, and for each field every set of lines that it may have.

What `python -m adapters rerank` learns from. The numbers of a set say nothing of what stands in its lines; its value
does, so the file belongs where the cards are.
"""

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress

from ocr_frontend.api.service import Service, build_service
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import FrontError
from ocr_frontend.extraction.assemble import Assembled
from ocr_frontend.extraction.reranker.choose import Choices, value_of
from ocr_frontend.extraction.reranker.features import VERSION
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.settings import Settings

CARDS = "cards.jsonl"
_AT_ONCE = 3
_DIGITS = 4  # of a number behind the point


def run(
    folder: Path,
    out: Path,
    model: str,
    settings: Settings,
    open_reader: Callable[[], Reader] | None = None,
    http: httpx.AsyncClient | None = None,
) -> int:
    """The exit code. Cards that are refused are counted and left out. open_reader, http: in the place of PaddleOCR and
    of the model server that the settings name."""
    console = Console(stderr=True)
    try:
        entries = [json.loads(line) for line in (folder / CARDS).read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        console.print(f"{folder} holds no {CARDS}: draw cards with python -m adapters cards.", markup=False)
        return 2
    kept = dict[str, dict[str, Any]]()
    settings = settings.model_copy(update={"rerank": False})  # trees of another version must not stop it
    service = build_service(settings, open_reader, http, lambda name, spec, found: _keep(kept, name, spec, found))
    try:
        refused = asyncio.run(_read(service, folder, entries, model, console))
    except FrontError as error:
        console.print(error.message, markup=False)
        return 1
    with gzip.open(out, "wt", encoding="utf-8") as file:
        for entry in entries:
            if entry["file"] in kept:
                file.write(json.dumps({"file": entry["file"], **kept[entry["file"]]}, ensure_ascii=False) + "\n")
    console.print(f"{out} holds {len(kept)} cards; {refused} were refused", markup=False)
    return 0


async def _read(service: Service, folder: Path, entries: list[dict[str, Any]], model: str, console: Console) -> int:
    """Every card; how many were refused. Raises FrontError where no model or no OCR answers."""
    places, refused = asyncio.Semaphore(_AT_ONCE), 0
    try:
        with console.status("loading PaddleOCR"):
            await service.pool.start()
        await service.catalog.find(model)
        with Progress(console=console) as bar:
            task = bar.add_task("reading cards", total=len(entries))

            async def one(entry: dict[str, Any]) -> None:
                nonlocal refused
                async with places:
                    data = await asyncio.to_thread((folder / entry["file"]).read_bytes)
                    try:
                        await service.pipeline.extract(entry["file"], data, entry["document"], model)
                    except FrontError:
                        refused += 1
                bar.update(task, advance=1)

            await asyncio.gather(*map(one, entries))
    finally:
        service.pool.close()
        await service.catalog.close()
        await service.http.aclose()
    return refused


def _keep(kept: dict[str, dict[str, Any]], name: str, spec: DocumentSpec, found: Assembled) -> None:
    given = found.choices
    fields = {field.key: _sets(given, field.key, spec) for field in spec.fields}
    boxes = [line.box for line in given.page.lines]
    kept[name] = {"document": spec.name, "version": VERSION, "boxes": boxes, "fields": fields}


def _sets(given: Choices, key: str, spec: DocumentSpec) -> list[dict[str, Any]]:
    field = spec.field(key)
    assert field is not None
    return [
        {
            "lines": lines,
            "value": value_of(lines, field, given),
            "features": {name: round(float(number), _DIGITS) for name, number in features.items()},
        }
        for lines, features in zip(given.sets[key], given.features[key], strict=True)
    ]
