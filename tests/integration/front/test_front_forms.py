"""Through the whole service: forms and pictures as clients really send them, and what may be in memory at once."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from tests.integration.front.fakes import RECTO_TEXT, FakeReader, Front, picture, running


def form(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(
        f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts
    ) + b"--x--\r\n"  # fmt: skip


async def post(front: Front, body: bytes, kind: str = "multipart/form-data; boundary=x") -> httpx.Response:
    return await front.client.post("/v1/extract", content=body, headers={"content-type": kind})


DOCUMENT = ('name="document"', b"cni-2018-recto")


async def test_content_types_and_names_that_clients_send() -> None:
    async with running() as front:
        plain = form(('name="image"; filename="a.jpg"', picture()), DOCUMENT)
        for kind in ("multipart/form-data; charset=undefined; boundary=x", "Multipart/Form-Data; boundary=x"):
            assert (await post(front, plain, kind)).status_code == 200
        starred = form(("name=\"image\"; filename*=UTF-8''caf%C3%A9.jpg", picture()), DOCUMENT)
        assert (await post(front, starred)).status_code == 200


async def test_fields_are_strict_on_every_form() -> None:
    async with running() as front:
        image = ('name="image"; filename="a.jpg"', picture())
        misspelt = await post(front, form(image, ('name="documnet"', b"auto")))
        assert misspelt.status_code == 422 and "Is `document` meant" in misspelt.text
        doubled = await post(front, form(image, DOCUMENT, DOCUMENT))
        assert doubled.status_code == 422 and "more than once" in doubled.text
        for route, files in (("/v1/jobs", ["image"]), ("/upload", ["file"]), ("/v1/cards", ["recto", "verso"])):
            sent = [(name, ("a.jpg", picture())) for name in files]
            refused = await front.client.post(route, files=sent, data={"modle": "cni"})
            assert refused.status_code == 422 and "Is `model` meant" in refused.text, route
    assert front.server.bodies == []


@pytest.mark.parametrize("size", [(33_000, 60), (60, 33_000), (33_000, 8)])
async def test_a_very_long_picture_is_answered_in_words(size: tuple[int, int]) -> None:
    class Strict(FakeReader):
        def read(self, image: Any) -> list[Any]:
            assert max(image.shape) <= 32_000 and min(image.shape[:2]) >= 12  # more or less than OpenCV takes
            return super().read(image)

    async with running(Strict(*RECTO_TEXT)) as front:
        answer = await front.extract(picture("PNG", size))
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 200:
            assert answer.json()["ocr"]["size"] == list(size)


async def test_a_text_that_begins_like_a_bitmap() -> None:
    async with running() as front:
        assert (await front.extract(b"BMW drivers' licences")).status_code == 415


async def test_an_odd_exif_block_is_no_error() -> None:
    for kind in ("PNG", "WEBP"):
        async with running() as front:
            assert (await front.extract(picture(kind, exif=b"Exif\0\0MM\0*\xff"))).status_code == 200


async def test_bytes_are_counted_while_they_arrive() -> None:
    arriving, go_on = asyncio.Event(), asyncio.Event()
    whole = form(('name="image"; filename="a.jpg"', picture()), DOCUMENT)

    async def slowly() -> Any:
        yield whole[:500]
        arriving.set()
        await go_on.wait()
        yield whole[500:]

    async with running(upload_bytes=len(whole) + 400, max_uploads=2) as front:
        service, kind = front.app.state.service, {"content-type": "multipart/form-data; boundary=x"}
        first = asyncio.create_task(front.client.post("/v1/extract", content=slowly(), headers=kind))
        await arriving.wait()
        assert service.bytes.held == 500 and service.admission.held == 0, "a slow upload holds no place"
        full = await post(front, whole)
        assert full.status_code == 503 and full.headers["retry-after"] and service.bytes.held == 500
        go_on.set()
        assert (await first).status_code == 200
        assert service.bytes.held == 0 and service.uploads.held == 0
        assert (await post(front, whole)).status_code == 200


async def test_one_key_leaves_room_for_the_others() -> None:
    gate = threading.Event()
    keys = {name: {"Authorization": f"Bearer {name}"} for name in ("flood", "quiet")}
    async with running(FakeReader(*RECTO_TEXT, gate=gate), keys="flood,quiet", max_requests=4, key_share=0.5) as front:
        service = front.app.state.service

        def ask(name: str) -> "asyncio.Task[httpx.Response]":
            files = {"image": ("a.jpg", picture())}
            data = {"document": "cni-2018-recto"}
            return asyncio.create_task(front.client.post("/v1/extract", files=files, data=data, headers=keys[name]))

        flood = [ask("flood") for _ in range(6)]
        async with asyncio.timeout(20):
            while sum(one.done() for one in flood) < 4:
                await asyncio.sleep(0.005)
        quiet = ask("quiet")
        async with asyncio.timeout(20):
            while service.admission.held < 3:
                await asyncio.sleep(0.005)
        gate.set()
        assert (await quiet).status_code == 200
        statuses = sorted([(await one).status_code for one in flood])
        assert statuses == [200, 200, 429, 429, 429, 429]


async def test_a_process_at_its_limit_takes_no_more() -> None:
    async with running(memory_limit=1) as front:
        refused = await front.extract(picture())
        assert refused.status_code == 503 and "memory" in refused.text
        assert (await front.client.get("/health")).status_code == 200


async def test_one_deadline_for_a_whole_request() -> None:
    gate = threading.Event()
    async with running(FakeReader(*RECTO_TEXT, gate=gate), request_seconds=0.2) as front:
        late = await front.extract(picture())
        assert late.status_code == 504
        gate.set()


async def test_the_event_loop_is_watched() -> None:
    async with running() as front:
        assert "ocr_front_event_loop_delay_seconds_bucket" in (await front.client.get("/metrics")).text


async def test_what_computes_does_not_hold_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detection and assembly run beside the loop: it can do something between their begin and their end."""
    from ocr_frontend.documents.classify import Classifier

    began, release = threading.Event(), threading.Event()
    real = Classifier.detect

    def held(classifier: Classifier, lines: Any, readings: Any = None) -> Any:
        began.set()
        assert release.wait(20), "the event loop never got to set this"
        return real(classifier, lines, readings)

    monkeypatch.setattr(Classifier, "detect", held)
    async with running() as front:
        answer = asyncio.create_task(front.extract(picture()))
        while not began.is_set():
            await asyncio.sleep(0.005)
        assert (await front.client.get("/health")).status_code == 200
        release.set()
        assert (await answer).status_code == 200


async def test_a_large_picture_s_boxes_are_the_sent_picture_s() -> None:
    wide = picture("PNG", (2000, 1000))
    async with running(work_pixels=500_000) as front:
        body = (await front.extract(wide)).json()
    assert body["ocr"]["size"] == [2000, 1000]
    assert body["ocr"]["lines"][3]["box"] == [[0, 60], [180, 60], [180, 78], [0, 78]]
