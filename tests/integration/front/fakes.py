"""Small real classes in the places of PaddleOCR and the model server, and pictures made on the spot."""

import asyncio
import io
import json
import struct
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from PIL import Image

from ocr_frontend.api.app import create_app
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.reader import TextLine
from ocr_frontend.settings import Settings

RECTO_FIELDS = ("nom_surname", "prenom_given_name", "date_of_birth", "lieu_of_birth", "sex", "taille", "profession")
RECTO_TEXT = (
    "REPUBLIQUE DU CAMEROUN", "", "NOM/SURNAME", "NGO MBARGA", "PRENOMS/GIVEN NAMES", "Élise {text}",
    "DATE DE NAISSANCE/DATE OF BIRTH", "01.021990", "LIEU DE NAISSANCE/PLACE OF BIRTH", "NGAOUNDÉRÉ", "SEXE/SEX",
    "TAILLE/HEIGHT", "F", "1,66m", "PROFESSION/OCCUPATION", "ÉLÈVE",
)  # fmt: skip
# The numbers are the prompt's: the blank line has none.
RECTO_ANSWER = "[2,4,6,8,11,12,14]"
VERSO_TEXT = ("PERE/FATHER", "ABENA", "MERE/MOTHER", "NGONO", "S.P./S.M.", "012345", "AUTORITE/AUTHORITY", "MARTIN")
CONTRACT: dict[str, Any] = {
    "answer": "lines",
    "line": "{text} {index}\n",
    "suffix": "<|im_end|>\n<|im_start|>assistant\n",
    "documents": {"cni-2018-recto": {"prefix": "<|im_start|>user\nread\n", "fields": list(RECTO_FIELDS)}},
}


def text_lines(*texts: str) -> list[TextLine]:
    """One line under the other, each with a box and a score of its own."""
    return [
        TextLine(
            text,
            round(0.9 + index / 1000, 4),
            ((0, 10 * index), (90, 10 * index), (90, 10 * index + 9), (0, 10 * index + 9)),
        )
        for index, text in enumerate(texts)
    ]


class FakeReader:
    """Gives the same lines for every picture; waits on `gate` where there is one."""

    def __init__(self, *texts: str, gate: threading.Event | None = None) -> None:
        self.lines, self.gate, self.reads = text_lines(*texts), gate, 0

    def read(self, image: Pixels) -> list[TextLine]:
        self.reads += 1
        if self.gate is not None:
            assert self.gate.wait(20)
        return self.lines


class FakeModelServer:
    """The model server as an httpx transport. `answers` are taken in turn, the last one for good."""

    def __init__(self, *answers: str | int | Exception | Callable[[dict[str, Any]], str]) -> None:
        self.answers = list(answers or (RECTO_ANSWER,))
        self.cards: list[dict[str, Any]] = [
            {"id": "base", "root": "base"},
            {"id": "cni", "parent": "base", "prompt": CONTRACT},
            {"id": "cni@1f3c9a2b4d5e", "parent": "base", "prompt": CONTRACT},
        ]
        self.answered_by = "cni@1f3c9a2b4d5e"
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[httpx.Headers] = []
        self.feedback: list[dict[str, Any]] = []
        self.feedback_headers: list[httpx.Headers] = []
        self.logprobs: dict[str, Any] | None = None
        self.finish_reason = "stop"
        self.lists = 0
        self.is_ready, self.ready_asked = True, 0
        self.delay = 0.0
        self.cancelled = 0
        self.asked = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/models":
            self.lists += 1
            return httpx.Response(200, json={"object": "list", "data": self.cards})
        if request.url.path == "/ready":
            self.ready_asked += 1
            return httpx.Response(200 if self.is_ready else 503, json={})
        body = json.loads(request.content)
        if request.url.path == "/v1/feedback":
            self.feedback.append(body)
            self.feedback_headers.append(request.headers)
            return httpx.Response(204)
        self.bodies.append(body)
        self.headers.append(request.headers)
        self.asked.set()
        try:
            await asyncio.sleep(self.delay)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer, json={"error": {"message": f"echo {body['prompt']}"}})
        text = answer if isinstance(answer, str) else answer(body)
        choice = {"text": text, "finish_reason": self.finish_reason, "logprobs": self.logprobs}
        usage = {"prompt_tokens": 240, "completion_tokens": 21}
        return httpx.Response(200, json={"model": self.answered_by, "choices": [choice], "usage": usage})


class Front:
    """A running app and a client of it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, server: FakeModelServer) -> None:
        self.app, self.client, self.server = app, client, server

    async def extract(self, image: bytes, document: str = "cni-2018-recto", **form: str) -> httpx.Response:
        """`POST /v1/extract`."""
        files = {"image": ("photo.jpg", image, "image/jpeg")}
        return await self.client.post("/v1/extract", files=files, data={"document": document, **form})


@asynccontextmanager
async def running(
    reader: FakeReader | None = None, server: FakeModelServer | None = None, **settings: Any
) -> AsyncIterator[Front]:
    """The app over fakes, its OCR loaded."""
    server = server or FakeModelServer()
    reader = reader or FakeReader(*RECTO_TEXT)
    to_server = httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://server")
    app = create_app(Settings(ocr_workers=1, **settings), ocr=lambda: reader, http=to_server)
    async with app.router.lifespan_context(app):
        while not app.state.service.pool.ready:
            await asyncio.sleep(0.005)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield Front(app, client, server)


def picture(kind: str = "JPEG", size: tuple[int, int] = (120, 80), mode: str = "RGB", **options: Any) -> bytes:
    """An encoded picture without meaning."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, kind, **options)
    return out.getvalue()


def bomb(side: int = 20_000) -> bytes:
    """A valid one-bit PNG, side × side pixels: a few ten kilobytes here, 1.2 GB as decoded RGB."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    body = b"".join(rows.compress(row) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
