"""Cards through the services by HTTP: what an agent's photo goes through, nothing in between."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from adapters.data.documents import DocumentName, fields_of
from adapters.errors import EvaluationError
from adapters.evaluation.metrics import Value, judge, written
from adapters.evaluation.patience import INVALID, PATIENCE, Patience, error_code, patiently
from adapters.evaluation.summary import Card

# A refusal counts as an answer with every field empty: the model's own failure, or a picture that the front does not
# take for a readable card. But these are the evaluation's own mistake.
_OURS = {"unknown_model", "unknown_document"}
_ITS_OWN = {"ocr", "model"}
"""Sources of a value that the model named, by the line where it stands or by writing it out."""


@dataclass(frozen=True)
class Truth:
    """A card of the held-out set: its image and what stands on it."""

    image: Path
    document: DocumentName
    condition: str
    values: dict[str, str | None]


def read_truths(folder: Path) -> list[Truth]:
    """The cards that `python -m adapters cards` wrote into `folder`."""
    lines = (folder / "cards.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return [Truth(folder / e["file"], e["document"], e["condition"], e["values"]) for e in entries]


async def evaluate(
    front: str,
    model: str,
    truths: Sequence[Truth],
    concurrency: int,
    read: dict[Path, list[str]],
    done: Callable[[], None],
    *,
    document: str | None = None,
    key: str | None = None,
    patience: Patience = PATIENCE,
) -> tuple[list[Card], str]:
    """Every card's outcome, in order, and the exact model that answered. `done` is called after each card.

    `document`: what the front is told instead of each card's own, as `auto`. `read` collects each image's OCR lines: a
    refused answer comes without them, but its ceiling is the same.
    A front that is busy or away is asked again with `patience`. Raises EvaluationError when that does not help, or when
    it refuses a card for another reason than the card.
    """
    gate = asyncio.Semaphore(concurrency)
    names: set[str] = set()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=front, headers=headers, timeout=300) as client:

        async def one(truth: Truth) -> Card:
            async with gate:
                reply = await _extract(client, model, truth, document or truth.document, patience)
            done()
            if "model" in reply:
                names.add(reply["model"])
                read[truth.image] = [line["text"] for line in reply["ocr"]["lines"]]
            return _judge(truth, model, reply, read.get(truth.image, []))

        cards = list(await asyncio.gather(*(one(truth) for truth in truths)))
    if len(names) > 1:
        raise EvaluationError(
            f"More than one revision answered ({', '.join(sorted(names))}): name one exactly with --model."
        )
    return cards, next(iter(names), model)


async def _extract(
    client: httpx.AsyncClient, model: str, truth: Truth, document: str, patience: Patience
) -> dict[str, Any]:
    files = {"image": (truth.image.name, truth.image.read_bytes(), "application/octet-stream")}
    form = {"document": document, "model": model}
    try:
        response = await patiently(lambda: client.post("/v1/extract", files=files, data=form), patience)
    except httpx.HTTPError as error:
        raise EvaluationError(
            f"The OCR front at {client.base_url} does not answer ({type(error).__name__}): start it with make up."
        ) from error
    if response.status_code == httpx.codes.OK:
        return dict(response.json())
    code = error_code(response)
    if code == INVALID or (response.status_code == httpx.codes.UNPROCESSABLE_ENTITY and code not in _OURS):
        return {"data": {}, "timings_ms": {}, "refused": code}
    raise EvaluationError(f"The OCR front refused {truth.image.name} with {response.status_code} {code}.")


def _judge(truth: Truth, model: str, reply: dict[str, Any], lines: list[str]) -> Card:
    kinds = fields_of(truth.document)
    told = reply.get("fields", {})
    fields = tuple(
        replace(
            judge(key, kinds[key], truth.values[key], reply["data"].get(key), lines),
            alone=written(kinds[key], said_alone(told.get(key, {}))) == truth.values[key],
            confidence=told.get(key, {}).get("confidence"),
            evidence=told.get(key, {}).get("evidence"),
        )
        for key in kinds
    )
    code = reply.get("refused")
    return Card(truth.document, truth.condition, model, fields, code == INVALID, reply["timings_ms"], code is not None)


def said_alone(field: Mapping[str, Any]) -> Value:
    """What the model said of a field, before rules and the machine-readable zone: the API's `source` tells who spoke
    last, `alternatives` who spoke before. A field that only they filled has no alternative: the model left it empty."""
    source = str(field.get("source", ""))
    if source in _ITS_OWN:
        return field.get("value")
    if source == "mrz" and not any(warning["code"] == "mrz_used" for warning in field.get("warnings", ())):
        return field.get("value")  # both say the same
    return next((other["value"] for other in field.get("alternatives", ()) if other["source"] in _ITS_OWN), None)
