"""Where there is no room an upload is refused before it is taken apart, and whoever sends it hears why."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_frontend.api import uploads
from tests.integration.front.fakes import RECTO_TEXT, FakeReader, Front, picture, running
from tests.integration.front.test_front_keys import ALL, ask, bearer, keys_file

FORM = {"content-type": "multipart/form-data; boundary=x"}


class Sent:
    """A body that is no form, and how many of its chunks were asked for."""

    def __init__(self, chunks: int, size: int = 1000) -> None:
        self.chunks, self.size, self.asked = chunks, size, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.chunks):
            self.asked += 1
            yield bytes(self.size)


@asynccontextmanager
async def full(**settings: Any) -> AsyncIterator[tuple[Front, threading.Event]]:
    """A front whose reader reads and whose queue is full, until the event is set."""
    gate = threading.Event()
    async with running(FakeReader(*RECTO_TEXT, gate=gate), ocr_queue=1, **settings) as front:
        pool = front.app.state.service.pool
        asked = []
        try:
            for there in ("running", "waiting"):
                asked.append(asyncio.create_task(front.extract(picture())))
                async with asyncio.timeout(20):
                    while not getattr(pool, there):
                        await asyncio.sleep(0.005)
            yield front, gate
        finally:
            gate.set()
            assert [(await one).status_code for one in asked] == [200, 200]


async def _post(front: Front, body: Sent, path: str = "/v1/extract", **headers: str) -> httpx.Response:
    return await front.client.post(path, content=body, headers=FORM | headers)


@pytest.mark.parametrize("path", ["/v1/extract", "/v1/cards", "/upload"])
async def test_a_form_without_room_is_heard_and_not_taken_apart(path: str) -> None:
    async with full() as (front, _):
        service, body = front.app.state.service, Sent(20)
        held = service.bytes.held
        refused = await _post(front, body, path)
        assert (refused.status_code, refused.json()["error"]["code"], body.asked) == (503, "busy", 20)
        assert refused.headers["retry-after"] and (service.bytes.held, service.admission.held) == (held, 2)
    async with running() as front:
        assert (await _post(front, Sent(20), path)).status_code == 400


async def test_who_waits_for_a_word_is_told_before_the_body() -> None:
    async with full() as (front, _):
        body = Sent(20)
        assert (await _post(front, body, expect="100-continue")).status_code == 503
        assert body.asked == 0


async def test_what_does_not_end_is_not_heard_to_its_end() -> None:
    async with full(max_bytes=10_000, jobs_images=1) as (front, _):
        body = Sent(1_000_000)
        assert (await _post(front, body)).status_code == 503
        assert body.asked * body.size <= uploads.DRAIN * (10_000 + uploads.FORM_OVERHEAD) + body.size


async def test_what_comes_too_slowly_is_not_waited_for() -> None:
    class Slow(Sent):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"--x"
            await asyncio.sleep(3600)

    async with full(upload_seconds=0.05) as (front, _):
        assert (await _post(front, Slow(1))).status_code == 503


async def test_a_key_over_its_limit_is_heard_too(tmp_path: Path) -> None:
    slow = ALL | {"limits": {"requests_per_second": 0.01}}
    async with running(keys_file=keys_file(tmp_path, slow)) as front:
        assert (await ask(front, "all")).status_code == 200
        body = Sent(20)
        assert (await _post(front, body, **bearer("all"))).status_code == 429
        assert body.asked == 20


async def test_a_key_that_holds_its_share_hears_it_before_its_form_and_another_is_served(tmp_path: Path) -> None:
    file = keys_file(tmp_path, {"id": "flood", "scopes": ["inference"]}, {"id": "quiet", "scopes": ["inference"]})
    gate = threading.Event()
    async with running(FakeReader(*RECTO_TEXT, gate=gate), keys_file=file, max_requests=2, key_share=0.5) as front:
        first = asyncio.create_task(ask(front, "flood"))
        async with asyncio.timeout(20):
            while not front.app.state.service.pool.running:
                await asyncio.sleep(0.005)
        assert (await _post(front, Sent(3), **bearer("flood"))).status_code == 429
        quiet = asyncio.create_task(ask(front, "quiet"))
        gate.set()
        assert [(await one).status_code for one in (first, quiet)] == [200, 200]


async def test_a_job_is_taken_where_its_pictures_have_to_wait() -> None:
    async with full() as (front, _):
        taken = await front.client.post("/v1/jobs", files={"image": ("a.jpg", picture())})
        assert taken.status_code == 202
