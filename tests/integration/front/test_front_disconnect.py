"""A client that goes away: the work for it stops, and nothing is left behind."""

import asyncio
import threading

import httpx

from tests.integration.front.fakes import RECTO_TEXT, FakeModelServer, FakeReader, Front, picture, running


class Leaving:
    """One ASGI request whose client can leave. `await request.done` ends when the app has finished."""

    def __init__(self, front: Front, body: bytes, content_type: str) -> None:
        self._body = body
        self._leave = asyncio.Event()
        self.sent: list[dict[str, object]] = []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/v1/extract", "raw_path": b"/v1/extract", "query_string": b"", "root_path": "",
            "headers": [(b"content-type", content_type.encode())], "client": ("c", 1), "server": ("s", 80),
        }  # fmt: skip
        self.done = asyncio.create_task(front.app(scope, self._receive, self._send))

    def leave(self) -> None:
        self._leave.set()

    async def _receive(self) -> dict[str, object]:
        if self._body:
            body, self._body = self._body, b""
            return {"type": "http.request", "body": body, "more_body": False}
        await self._leave.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, object]) -> None:
        self.sent.append(message)


def request_of(front: Front) -> Leaving:
    form = httpx.Request(
        "POST", "http://localhost/", files={"image": ("a.jpg", picture())}, data={"document": "cni-2018-recto"}
    )
    return Leaving(front, form.read(), form.headers["content-type"])


async def test_the_model_server_is_told() -> None:
    server = FakeModelServer()
    server.delay = 60
    async with running(server=server) as front:
        request = request_of(front)
        await asyncio.wait_for(server.asked.wait(), 10)
        request.leave()
        await asyncio.wait_for(request.done, 10)
        assert server.cancelled == 1
        assert front.app.state.service.admission.held == 0
        text = (await front.client.get("/metrics")).text
        assert 'ocr_front_requests_total{route="/v1/extract",status="4xx"} 1.0' in text
        server.delay = 0
        assert (await front.extract(picture())).status_code == 200


async def test_a_place_in_the_queue_is_given_up() -> None:
    gate = threading.Event()
    reader = FakeReader(*RECTO_TEXT, gate=gate)
    async with running(reader) as front:
        pool = front.app.state.service.pool
        first = request_of(front)
        while not pool.running:
            await asyncio.sleep(0.005)
        second = request_of(front)
        while not pool.waiting:
            await asyncio.sleep(0.005)
        second.leave()
        await asyncio.wait_for(second.done, 10)
        assert (pool.running, pool.waiting) == (1, 0)
        first.leave()
        await asyncio.wait_for(first.done, 10)
        gate.set()
        while pool.running:
            await asyncio.sleep(0.005)
        assert reader.reads == 1
        assert (await front.extract(picture())).status_code == 200


async def test_no_task_is_left() -> None:
    before = asyncio.all_tasks()
    async with running() as front:
        for _ in range(3):
            await front.extract(picture())
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() - before == set()
