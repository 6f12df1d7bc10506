"""Jobs: many images in one call, progress, expiry, deletion, bounds."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_frontend.jobs.store import Store
from tests.integration.front.fakes import RECTO_ANSWER, RECTO_TEXT, FakeModelServer, FakeReader, Front, picture, running


async def submit(front: Front, *images: bytes, **form: str) -> httpx.Response:
    files = [("image", (f"{number}.jpg", image)) for number, image in enumerate(images)]
    return await front.client.post("/v1/jobs", files=files, data={"document": "cni-2018-recto", **form})


async def finished(front: Front, job: str, state: str = "done") -> dict[str, Any]:
    while True:
        body = (await front.client.get(f"/v1/jobs/{job}")).json()
        if body["state"] == state:
            return body  # type: ignore[no-any-return]
        await asyncio.sleep(0.01)


async def test_every_image_gets_an_answer_or_an_error() -> None:
    async with running() as front:
        accepted = await submit(front, picture(), b"no picture", picture())
        assert accepted.status_code == 202, accepted.text
        body = accepted.json()
        assert accepted.json()["id"] != accepted.headers["x-request-id"]  # which a client may choose
        assert accepted.headers["location"] == f"/v1/jobs/{body['id']}" and body["total"] == 3
        body = await finished(front, body["id"])
        assert (body["done"], body["failed"]) == (3, 1)
        results = {result["number"]: result for result in body["results"]}
        assert results[0]["answer"]["data"]["nom_surname"] == "NGO MBARGA" and results[0]["error"] is None
        assert results[1]["error"]["code"] == "not_an_image" and results[1]["answer"] is None
        assert results[2]["answer"]["model"] == "cni@1f3c9a2b4d5e"
        assert "ocr_front_jobs 1.0" in (await front.client.get("/metrics")).text
        assert front.app.state.service.jobs.waiting_bytes == 0


async def test_progress_and_deletion_in_the_middle() -> None:
    gate = threading.Event()
    reader = FakeReader(*RECTO_TEXT, gate=gate)
    async with running(reader) as front:
        service = front.app.state.service
        first = (await submit(front, picture(), picture())).json()["id"]
        second = (await submit(front, picture())).json()["id"]
        while not service.pool.running:
            await asyncio.sleep(0.005)
        assert (await front.client.get(f"/v1/jobs/{first}")).json()["state"] == "running"
        assert (await front.client.get(f"/v1/jobs/{second}")).json()["state"] == "queued"
        assert service.jobs.waiting == 2 and service.jobs.waiting_bytes > 0
        assert (await front.client.delete(f"/v1/jobs/{first}")).status_code == 204
        assert (await front.client.get(f"/v1/jobs/{first}")).status_code == 404
        gate.set()
        assert (await finished(front, second))["failed"] == 0
        assert reader.reads == 2  # the deleted job's second image is never read
        assert len(service.store) == 1 and service.jobs._left == {} and dict(service.jobs._reading) == {}


async def test_a_busy_service_makes_a_job_wait() -> None:
    server = FakeModelServer(503, 503, RECTO_ANSWER)
    async with running(server=server, retry_seconds=0, jobs_patience=30) as front:
        job = (await submit(front, picture())).json()["id"]
        assert (await finished(front, job))["failed"] == 0
    async with running(server=FakeModelServer(503), retry_seconds=0, jobs_patience=0) as front:
        job = (await submit(front, picture())).json()["id"]
        [result] = (await finished(front, job))["results"]
        assert result["error"]["code"] == "model_server_away"


async def test_what_is_refused_at_once() -> None:
    async with running(jobs_images=2, jobs_kept=1, jobs_bytes=100_000) as front:
        assert (await submit(front, picture(), model="none")).status_code == 422
        assert (await submit(front, picture(), document="passport")).status_code == 422
        assert (await submit(front)).status_code == 400
        too_many = await submit(front, picture(), picture(), picture())
        assert too_many.status_code == 400 and "more than 2 files" in too_many.text
        assert (await submit(front, bytes(200_000))).status_code == 413
        assert (await front.client.get("/v1/jobs/none")).status_code == 404
        assert (await submit(front, picture())).status_code == 202
        full = await submit(front, picture())
        assert full.status_code == 503 and full.headers["retry-after"]


async def test_another_key_sees_nothing_of_it() -> None:
    async with running(keys="one,other") as front:
        one, other = ({"Authorization": f"Bearer {key}"} for key in ("one", "other"))
        files = [("image", ("a.jpg", picture()))]
        job = (await front.client.post("/v1/jobs", files=files, headers=one)).json()["id"]
        assert (await front.client.get(f"/v1/jobs/{job}", headers=other)).status_code == 404
        assert (await front.client.delete(f"/v1/jobs/{job}", headers=other)).status_code == 404
        assert (await front.client.get(f"/v1/jobs/{job}")).status_code == 401
        assert (await front.client.get(f"/v1/jobs/{job}", headers=one)).status_code == 200


@pytest.mark.parametrize("name", [None, "jobs.sqlite"])
def test_results_expire(tmp_path: Path, name: str | None) -> None:
    now = [1000.0]
    store = Store(name and tmp_path / name, 60, clock=lambda: now[0])
    store.add("a", "local", "auto", "cni", 2)
    now[0] += 50
    store.put("a", 0, {"number": 0})
    now[0] += 50  # the last result gives another minute
    assert store.find("a") is not None and store.results("a") == {0: {"number": 0}}
    now[0] += 11
    assert store.find("a") is None
    assert store.sweep() == ["a"] and len(store) == 0 and store.results("a") == {}
    store.put("a", 1, {"number": 1})
    assert store.results("a") == {}


async def test_a_file_outlives_the_service_and_says_what_was_lost(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite"
    gate = threading.Event()
    async with running(jobs_file=file) as front:
        done = (await submit(front, picture())).json()["id"]
        await finished(front, done)
    assert file.stat().st_mode & 0o777 == 0o600
    async with running(FakeReader(*RECTO_TEXT, gate=gate), jobs_file=file) as front:
        assert (await finished(front, done))["results"][0]["answer"]["data"]["sex"] == "F"
        lost = (await submit(front, picture())).json()["id"]
        gate.set()
        await finished(front, lost)
        front.app.state.service.store.delete(lost)
        front.app.state.service.store.add("of-another-run", "local", "auto", "cni", 2)
        body = (await front.client.get("/v1/jobs/of-another-run")).json()
        assert body["state"] == "interrupted" and body["results"] == []
