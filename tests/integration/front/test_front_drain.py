"""Who is refused before the body was read is heard to its end, within bounds, so that the client learns why."""

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn

from ocr_frontend.api.app import create_app
from ocr_frontend.api.drain import KEYLESS_BYTES
from ocr_frontend.settings import Settings
from tests.integration.front.fakes import RECTO_TEXT, FakeReader, running
from tests.integration.front.test_front_keys import ALL, bearer, keys_file
from tests.integration.front.test_front_no_room import FORM, Sent

LOOKER = {"id": "looker", "scopes": ["metrics"]}
_MIB = 2**20


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("POST", "/v1/extract", None, 401),
        ("POST", "/v1/extract", "looker", 403),
        ("POST", "/v1/nothing", "all", 404),
        ("PUT", "/v1/extract", "all", 405),
        ("PUT", "/v1/results/1", "all", 404),  # corrections are off
        ("DELETE", "/v1/jobs/1", "all", 404),
    ],
)
async def test_a_refused_body_is_heard_to_its_end(
    tmp_path: Path, method: str, path: str, key: str | None, status: int
) -> None:
    async with running(keys_file=keys_file(tmp_path, ALL, LOOKER)) as front:
        body = Sent(20)
        given = FORM | (bearer(key) if key else {})
        answer = await front.client.request(method, path, content=body, headers=given)
        assert (answer.status_code, body.asked) == (status, 20)


async def test_a_page_of_another_site_is_heard_too() -> None:
    async with running() as front:
        body = Sent(20)
        answer = await front.client.post("/v1/extract", content=body, headers=FORM | {"origin": "http://other.example"})
        assert (answer.status_code, body.asked) == (403, 20)


async def test_a_body_that_is_no_form_is_heard_and_its_kind_is_told() -> None:
    async with running() as front:
        body = Sent(20)
        answer = await front.client.post("/v1/extract", content=body, headers={"content-type": "image/jpeg"})
        assert (answer.status_code, body.asked) == (400, 20)


async def test_who_showed_no_key_is_heard_for_a_photo_and_no_more(tmp_path: Path) -> None:
    async with running(keys_file=keys_file(tmp_path, ALL)) as front:
        stranger, known = Sent(20, _MIB), Sent(20, _MIB)
        assert (await front.client.post("/v1/extract", content=stranger, headers=FORM)).status_code == 401
        assert stranger.asked == KEYLESS_BYTES // _MIB + 1
        plain = bearer("all") | {"content-type": "text/plain"}
        assert (await front.client.post("/v1/extract", content=known, headers=plain)).status_code == 400
        assert known.asked == 20


async def test_a_body_announced_as_larger_than_would_be_heard_is_not_begun(tmp_path: Path) -> None:
    async with running(keys_file=keys_file(tmp_path, ALL)) as front:
        body = Sent(1)
        given = FORM | {"content-length": str(KEYLESS_BYTES + 1)}
        assert (await front.client.post("/v1/extract", content=body, headers=given)).status_code == 401
        assert body.asked == 0


async def test_who_waits_for_a_word_gets_the_answer_instead(tmp_path: Path) -> None:
    async with running(keys_file=keys_file(tmp_path, ALL)) as front:
        body = Sent(20)
        answer = await front.client.post("/v1/extract", content=body, headers=FORM | {"expect": "100-continue"})
        assert (answer.status_code, body.asked) == (401, 0)


class Slow(Sent):
    """One chunk, and then nothing for an hour."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.asked += 1
        yield bytes(self.size)
        await asyncio.sleep(3600)


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("all", 400)])
async def test_who_sends_too_slowly_is_not_waited_for(tmp_path: Path, key: str | None, status: int) -> None:
    async with running(keys_file=keys_file(tmp_path, ALL), upload_seconds=0.05) as front:
        given = {"content-type": "text/plain"} | (bearer(key) if key else {})
        assert (await front.client.post("/v1/extract", content=Slow(1), headers=given)).status_code == status


@pytest.fixture
def address() -> Iterator[str]:
    """A front with a key, on a socket."""
    app = create_app(Settings(ocr_workers=1, keys="the-key"), ocr=lambda: FakeReader(*RECTO_TEXT))
    front = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=front.run)
    thread.start()
    try:
        while not front.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{front.servers[0].sockets[0].getsockname()[1]}"
    finally:
        front.should_exit = True
        thread.join(20)


@pytest.mark.parametrize(("path", "status", "code"), [("extract", 401, "unauthorized"), ("nothing", 404, "not_found")])
def test_a_client_that_closes_after_its_answer_reads_it(address: str, path: str, status: int, code: str) -> None:
    """urllib announces `Connection: close` and reads once all is sent; more than the sockets' buffers hold."""
    request = urllib.request.Request(f"{address}/v1/{path}", bytes(7 * _MIB), FORM)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    with refused.value as answer:
        assert (answer.code, json.load(answer)["error"]["code"]) == (status, code)
