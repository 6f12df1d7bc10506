"""The whole path through an OCR front: of a picture, or of lines that are given in its place."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapters.data.lines import Line
from adapters.errors import EvaluationError
from adapters.evaluation.patience import INVALID, patiently_here

_SECONDS = 300
_CORNERS = 4


@dataclass(frozen=True)
class Seen:
    """What the front said of one picture, or of its lines. `values` is empty where it refused it; `lines` are those
    that it read, `evidence` is what its confidence in each field rests on.
    """

    values: dict[str, str | None]
    lines: tuple[str, ...]
    model: str
    seconds: float
    refused: bool = False
    evidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def through_front(url: str, document: str, model: str, picture: Path, key: str = "") -> Seen:
    """One picture through the front. Raises EvaluationError where the front is away, or the mistake is ours."""
    files = {"image": (picture.name, picture.read_bytes(), "application/octet-stream")}
    form = {"document": document, "model": model}
    return _asked(f"{url}/v1/extract", picture.name, model, key, files=files, data=form)


def lines_through_front(url: str, document: str, model: str, name: str, lines: Sequence[Line], key: str = "") -> Seen:
    """Given lines in the place of a picture; their boxes go along where every one has four corners.

    Raises EvaluationError where the front is away, or does not take the lines.
    """
    boxed = all(len(line.polygon) == _CORNERS for line in lines)
    sent = [{"text": line.text, "confidence": line.score, **({"box": line.polygon} if boxed else {})} for line in lines]
    body = {"document": document, "model": model, "lines": sent}
    return _asked(f"{url}/v1/extract-lines", name, model, key, ours=("unprocessable",), json=body)


def _asked(url: str, name: str, model: str, key: str, *, ours: Sequence[str] = (), **sent: Any) -> Seen:
    """ours: codes that say that what was sent is wrong, where another one says that it could not be read."""
    headers, began = {"Authorization": f"Bearer {key}"} if key else {}, 0.0

    def send() -> httpx.Response:
        nonlocal began
        began = time.perf_counter()  # of the try that was answered
        return httpx.post(url, timeout=_SECONDS, headers=headers, **sent)

    try:
        reply = patiently_here(send)
        seconds, body = time.perf_counter() - began, reply.json()
    except (httpx.HTTPError, ValueError) as error:
        raise EvaluationError(f"The OCR front does not answer at {url} ({type(error).__name__}).") from error
    if "error" not in body:
        values = {key: None if value is None else str(value) for key, value in body["data"].items()}
        lines = tuple(line["text"] for line in body["ocr"]["lines"])
        told = {key: each["evidence"] for key, each in body.get("fields", {}).items() if each.get("evidence")}
        return Seen(values, lines, str(body["model"]), seconds, evidence=told)
    code, unread = str(body["error"].get("code", "")), reply.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    if code == INVALID or (unread and "unknown" not in code and code not in ours):
        return Seen({}, (), model, seconds, refused=True)
    said = f"{reply.status_code} {code}: {body['error'].get('message', '')}"
    raise EvaluationError(f"The OCR front refused {name} with {said}")
