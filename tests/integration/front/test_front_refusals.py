"""Everything that goes wrong, and that each answer has API.md's error shape."""

import asyncio
import threading
import time
from pathlib import Path
from tempfile import SpooledTemporaryFile

import httpx
import pytest
from PIL import ImageFile

from ocr_frontend.ocr.cancellation import StoppableRunner, Stopped
from tests.integration.front.fakes import RECTO_TEXT, FakeModelServer, FakeReader, Front, bomb, picture, running


def check(response: httpx.Response, status: int, code: str) -> str:
    """The error shape, and nothing beside it. Gives the message."""
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == (status, code), body
    assert list(body) == ["error"] and list(body["error"]) == ["code", "message", "request_id"]
    assert body["error"]["request_id"] == response.headers["x-request-id"]
    assert ("retry-after" in response.headers) == (status in (429, 503))
    message = body["error"]["message"]
    assert message and "/work" not in message and "Traceback" not in message
    return str(message)


@pytest.fixture
async def front() -> Front:  # type: ignore[misc]
    async with running() as one:
        yield one


IMAGES = [
    (b"", 400, "unreadable_image"),
    (b"this is a text, not an image", 415, "not_an_image"),
    (b"%PDF-1.7 no more", 400, "unreadable_image"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not_an_image"),
    (picture("GIF", mode="L"), 415, "not_an_image"),
    (picture()[:600], 400, "unreadable_image"),
    (picture()[:20], 400, "unreadable_image"),
    (picture("PNG")[:-40], 400, "unreadable_image"),
    (picture("PNG")[:20], 400, "unreadable_image"),
    (picture("WEBP")[:60], 400, "unreadable_image"),
    (picture("TIFF")[:100], 400, "unreadable_image"),
    (picture("BMP")[:100], 400, "unreadable_image"),
    (picture("PNG")[:60] + b"\0" * 200, 400, "unreadable_image"),
]


@pytest.mark.parametrize(("image", "status", "code"), IMAGES)
async def test_bad_images(front: Front, image: bytes, status: int, code: str) -> None:
    check(await front.extract(image), status, code)
    assert front.server.bodies == []


async def test_thirty_megabytes(front: Front) -> None:
    check(await front.extract(picture() + bytes(30_000_000)), 413, "image_too_large")


async def test_more_than_is_ever_received(front: Front) -> None:
    async def endless() -> object:
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        while True:
            yield bytes(1 << 20)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    check(await front.client.post("/v1/extract", content=endless(), headers=headers), 413, "image_too_large")
    announced = headers | {"content-length": "900000000000"}
    check(await front.client.post("/v1/extract", content=b"", headers=announced), 413, "image_too_large")


async def test_a_decompression_bomb_is_refused_by_its_header(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    image = bomb()
    assert len(image) < 200_000
    check(await front.extract(image), 413, "image_too_large")
    assert "8000 x 8000" in check(await front.extract(bomb(8_000)), 413, "image_too_large")


@pytest.mark.parametrize("texts", [(), ("", "  ")])
async def test_a_photo_without_text(texts: tuple[str, ...]) -> None:
    async with running(FakeReader(*texts)) as front:
        message = check(await front.extract(picture()), 422, "no_text_found")
        assert "Move closer." in message and "Rapprochez-vous." in message
        assert front.server.bodies == []


async def test_unknown_names(front: Front) -> None:
    check(await front.extract(picture(), model="../../etc/passwd"), 422, "unknown_model")
    check(await front.extract(picture(), document="passport"), 422, "unknown_document")
    # The adapter of the fake server knows one document only.
    check(await front.extract(picture(), document="cni-2025-recto"), 422, "unknown_document")


async def test_forms_that_are_none(front: Front) -> None:
    post = front.client.post
    check(await post("/v1/extract", json={"image": "x"}), 400, "bad_request")
    check(await post("/v1/extract", data={"document": "auto"}), 400, "bad_request")
    check(await post("/v1/extract", files={"file": b"x"}), 400, "bad_request")
    check(await post("/v1/extract", files=[("image", b"x"), ("image", b"y")]), 400, "bad_request")
    headers = {"content-type": "multipart/form-data; boundary=x"}
    check(await post("/v1/extract", content=b"--y\r\nbroken", headers=headers), 400, "bad_request")
    check(await post("/v1/extract", content=b"", headers={"content-type": "multipart/form-data"}), 400, "bad_request")
    check(await front.client.get("/v1/extract"), 405, "method_not_allowed")
    check(await front.client.get("/v2/extract"), 404, "not_found")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (httpx.ConnectError("refused"), 503, "model_server_away"),
        (httpx.ConnectTimeout("away"), 503, "model_server_away"),
        (httpx.RemoteProtocolError("cut off"), 503, "model_server_away"),
        (httpx.ReadTimeout("slow"), 504, "deadline_exceeded"),
        (500, 503, "model_server_away"),
        (503, 503, "model_server_away"),
        (401, 503, "model_server_away"),
        (404, 422, "unknown_model"),
        (400, 422, "unprocessable"),
        (429, 503, "busy"),
        (504, 504, "deadline_exceeded"),
        ("[1,2", 502, "invalid_answer"),
        ("[1,2]", 502, "invalid_answer"),
        ("[true,1,1,1,1,1,1]", 502, "invalid_answer"),
        ('[["1"],1,1,1,1,1,1]', 502, "invalid_answer"),
        ("[[],1,1,1,1,1,1]", 502, "invalid_answer"),
        ('[{"a":1},1,1,1,1,1,1]', 502, "invalid_answer"),
        ("[" * 50_000, 502, "invalid_answer"),
        ("7" * 10_000, 502, "invalid_answer"),
    ],
)
async def test_the_model_server_fails(failure: str | int | Exception, status: int, code: str) -> None:
    async with running(server=FakeModelServer(failure)) as front:
        message = check(await front.extract(picture()), status, code)
        assert "MBARGA" not in message
        if code == "invalid_answer":
            assert "ocr_front_invalid_answers_total 1.0" in (await front.client.get("/metrics")).text


async def test_the_model_server_is_slow() -> None:
    server = FakeModelServer()
    server.delay = 30
    async with running(server=server, llm_seconds=0.05) as front:
        check(await front.extract(picture()), 504, "deadline_exceeded")
    assert server.cancelled == 1


async def test_ready_says_what_is_missing() -> None:
    async with running() as front:
        service = front.app.state.service
        assert (await front.client.get("/ready")).json() == {"status": "ready", "model_server": "ready"}
        workers, service.pool._workers = service.pool._workers, set()
        check(await front.client.get("/ready"), 503, "ocr_unavailable")
        check(await front.extract(picture()), 503, "ocr_unavailable")
        service.pool._workers = workers


async def test_readiness_stays_while_the_model_server_is_away() -> None:
    """A front that leaves its load balancer gives a connection error, where this one says 503 and when to come back."""
    async with running(server=FakeModelServer(503), retry_seconds=0) as front:
        front.server.is_ready = False
        assert (await front.client.get("/ready")).json() == {"status": "ready", "model_server": "away"}
        check(await front.extract(picture()), 503, "model_server_away")


async def test_readiness_asks_the_model_server_once_in_a_while() -> None:
    async with running() as front:
        for _ in range(5):
            assert (await front.client.get("/ready")).status_code == 200
        assert front.server.ready_asked == 1


async def test_the_queue_is_bounded_and_the_deadline_holds() -> None:
    gate = threading.Event()
    reader = FakeReader(*RECTO_TEXT, gate=gate)
    async with running(reader, ocr_queue=1) as front:
        pool = front.app.state.service.pool
        first = asyncio.create_task(front.extract(picture()))
        while not pool.running:
            await asyncio.sleep(0.005)
        second = asyncio.create_task(front.extract(picture()))
        while not pool.waiting:
            await asyncio.sleep(0.005)
        check(await front.extract(picture()), 503, "busy")
        assert (await front.client.get("/health")).status_code == 200  # the loop is free meanwhile
        gate.set()
        assert [(await one).status_code for one in (first, second)] == [200, 200]


async def test_a_read_past_its_deadline() -> None:
    gate = threading.Event()
    async with running(FakeReader(*RECTO_TEXT, gate=gate), ocr_seconds=0.05) as front:
        pool = front.app.state.service.pool
        check(await front.extract(picture()), 504, "deadline_exceeded")
        assert pool.running == 1  # a reader that never looks up is not forgotten
        check(await front.extract(picture()), 503, "busy")  # it never got a reader
        assert pool.waiting == 0
        gate.set()
        while pool.running:
            await asyncio.sleep(0.005)
        pool._seconds = 30
        assert (await front.extract(picture())).status_code == 200


class Looping(FakeReader):
    """Reads for ever, one run of a model after the other."""

    ended = 0

    def read(self, image: object) -> list[object]:  # type: ignore[override]
        model = StoppableRunner(lambda: time.sleep(0.005))
        try:
            while not self.done:
                model()
        except Stopped:
            self.ended += 1
            raise
        return self.lines  # type: ignore[return-value]

    done = False


async def test_a_deadline_stops_the_work() -> None:
    reader = Looping(*RECTO_TEXT)
    async with running(reader, ocr_seconds=0.1) as front:
        pool = front.app.state.service.pool
        check(await front.extract(picture()), 504, "deadline_exceeded")
        while pool.running:
            await asyncio.sleep(0.005)
        assert reader.ended == 1
        reader.done, pool._seconds = True, 30
        assert (await front.extract(picture())).status_code == 200


async def test_admission_is_bounded() -> None:
    gate = threading.Event()
    async with running(FakeReader(*RECTO_TEXT, gate=gate), max_requests=1) as front:
        first = asyncio.create_task(front.extract(picture()))
        while not front.app.state.service.pool.running:
            await asyncio.sleep(0.005)
        check(await front.extract(picture()), 503, "busy")
        gate.set()
        assert (await first).status_code == 200
        assert (await front.extract(picture())).status_code == 200


SECRET = "a value of the card"


async def test_an_unexpected_error_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeReader):
        def read(self, image: object) -> list[object]:  # type: ignore[override]
            raise ValueError(SECRET)

    async with running(Broken()) as front:
        check(await front.extract(picture()), 500, "internal")
        assert 'ocr_front_errors_total{code="internal"} 1.0' in (await front.client.get("/metrics")).text
        assert (await front.extract(picture())).status_code == 500  # the reader came back
    assert SECRET not in caplog.text and "ValueError" in caplog.text


async def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rollover(_: object) -> None:
        raise AssertionError("an upload went to disk")

    monkeypatch.setattr(SpooledTemporaryFile, "rollover", rollover)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    image = picture("BMP", (2000, 1500))
    assert len(image) > 5_000_000
    async with running() as front:
        assert (await front.extract(image)).status_code == 200
        assert (await front.extract(image[:-1000])).status_code in (200, 400)
        assert (await front.extract(b"x" * 5_000_000)).status_code == 415
    assert list(tmp_path.iterdir()) == []
