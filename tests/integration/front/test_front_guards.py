"""Who may ask: keys that come and go while the service runs, pages that are not this machine, answers with less."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from ocr_frontend.auth.follow import KeysFile
from ocr_frontend.auth.keys import read_keys
from tests.integration.front.fakes import FakeModelServer, picture, running
from tests.integration.front.test_front_keys import ALL, ask, bearer, keys_file


async def test_a_key_is_revoked_and_added_without_a_restart(tmp_path: Path) -> None:
    other = {"id": "other", "scopes": ["inference"]}
    file = keys_file(tmp_path, ALL, other)
    async with running(keys_file=file, keys_seconds=0.02) as front:
        ring = front.app.state.service.ring
        assert (await ask(front, "all")).status_code == 200
        keys_file(tmp_path, other, {"id": "new", "scopes": ["inference"]})
        async with asyncio.timeout(10):
            while ring.find(bearer("new")["Authorization"]) is None:
                await asyncio.sleep(0.01)
        assert (await ask(front, "all")).status_code == 401
        assert (await ask(front, "new")).status_code == 200
        assert (await ask(front, "other")).status_code == 200


def test_a_broken_file_changes_nothing_and_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = keys_file(tmp_path, ALL)
    ring = read_keys(file)
    follower = KeysFile(ring, file, (), 1)
    file.write_text("{")
    for _ in range(3):
        follower.look()
    assert ring.find(bearer("all")["Authorization"]) is not None and follower.broken
    file.unlink()
    follower.look()
    assert len(ring) == 1 and caplog.text.count("the keys of before go on") == 2
    file.write_text('{"keys": []}')  # all of them are revoked: nobody, not everybody
    follower.look()
    assert not follower.broken and not ring.open and ring.find(bearer("all")["Authorization"]) is None


def test_jobs_of_a_key_that_is_over_are_nobody_s(tmp_path: Path) -> None:
    past, future = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    file = keys_file(tmp_path, ALL | {"expires": past}, {"id": "b", "scopes": ["inference"], "expires": future})
    ring = read_keys(file)
    over, here = ring.keys
    assert ring.of_owner(over.owner) is None and ring.of_owner(here.owner) is here and ring.of_owner("x") is None


def test_a_plain_key_is_named_by_its_hash() -> None:
    both, one = read_keys(None, ("one", "other")), read_keys(None, ("other",))
    first, second, alone = both.find("Bearer one"), both.find("Bearer other"), one.find("Bearer other")
    assert first is not None and second is not None and alone is not None
    assert second.id == alone.id != first.id and second.owner == alone.owner != first.owner
    assert "other" not in second.id


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "127.0.0.1:8080"}, 200),
        ({"host": "[::1]:8080"}, 200),
        ({"host": "LOCALHOST"}, 200),
        ({"host": "desk.example"}, 200),
        ({"host": "rebound.example"}, 403),
        ({"host": "localhost.evil.example"}, 403),
        ({"host": "["}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://localhost"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
async def test_without_keys_other_pages_get_nothing(headers: dict[str, str], status: int) -> None:
    async with running(allowed_hosts="desk.example") as front:
        sent = {"image": ("a.jpg", picture())}
        answer = await front.client.post(
            "/v1/extract", files=sent, data={"document": "cni-2018-recto"}, headers=headers
        )
        assert answer.status_code == status
        reading = await front.client.get("/models", headers=headers)
        assert reading.status_code == (
            403 if headers.get("host", "").endswith(("example", "[")) and status == 403 else 200
        )
        if status == 403:
            assert list(answer.json()["error"]) == ["code", "message", "request_id"]


async def test_with_keys_names_do_not_matter() -> None:
    async with running(keys="one") as front:
        headers = {"host": "cards.example", "origin": "https://app.example", "authorization": "Bearer one"}
        assert (await front.client.get("/models", headers=headers)).status_code == 200


async def test_personal_data_is_kept_by_nobody() -> None:
    async with running() as front:
        for answer in (await front.extract(picture()), await front.extract(b""), await front.client.get("/v1/jobs/x")):
            assert answer.headers["cache-control"] == "no-store", answer.status_code
            assert answer.headers["x-content-type-options"] == "nosniff"
        page = await front.client.get("/")
        assert page.headers.get_list("cache-control") == ["no-cache"]


async def test_less_is_answered_where_less_is_asked_for() -> None:
    async with running() as front:
        files, data = {"image": ("a.jpg", picture())}, {"document": "cni-2018-recto"}
        less = await front.client.post("/v1/extract?include=data", files=files, data=data)
        assert set(less.json()) == {"id", "document", "model", "data", "needs_review", "warnings"}
        some = await front.client.post("/v1/extract?include=fields,usage", files=files, data=data)
        assert {"fields", "usage"} <= set(some.json()) and not {"data", "ocr"} & set(some.json())
        wrong = await front.client.post("/v1/extract?include=photo", files=files, data=data)
        assert wrong.status_code == 422 and "photo" not in wrong.text
        assert {"data", "fields", "ocr", "quality"} <= set((await front.extract(picture())).json())


class Guarded(FakeModelServer):
    """A model server whose metrics take a key."""

    page_asked = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/metrics":
            return await super().__call__(request)
        self.page_asked += 1
        text = '# TYPE cni_server_requests counter\ncni_server_requests_total{adapter="a",revision="1"} 7\n'
        return httpx.Response(200, text=text)


async def test_the_dashboard_hands_guarded_numbers_to_a_key_of_that_scope_alone(tmp_path: Path) -> None:
    server = Guarded()
    async with running(server=server, keys="reader", server_metrics_key="watcher") as front:
        for headers in ({}, {"authorization": "Bearer reader"}):
            data = (await front.client.get("/dashboard/data", headers=headers)).json()
            assert data["server"] is None and data["server_state"] == "guarded" and data["front"]
        assert server.page_asked == 0
    file = keys_file(tmp_path, {"id": "watch", "scopes": ["metrics"]})
    async with running(server=server, keys_file=file, server_metrics_key="watcher") as front:
        assert (await front.client.get("/dashboard/data")).status_code == 401
        data = (await front.client.get("/dashboard/data", headers=bearer("watch"))).json()
        assert json.dumps(data["server"]["adapters"]) != "[]"
    async with running(server=server, server_metrics_key="watcher") as front:  # no keys: this machine alone
        assert (await front.client.get("/dashboard/data")).json()["server_state"] == "ok"
