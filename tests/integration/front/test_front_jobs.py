"""Jobs through the whole service: progress, people first, turns between keys, restarts, two fronts, who is told."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_frontend.errors import Unprocessable
from ocr_frontend.jobs.callbacks import SIGNATURE, Callbacks, target
from tests.integration.front.fakes import RECTO_ANSWER, RECTO_TEXT, FakeModelServer, FakeReader, Front, picture, running
from tests.integration.front.test_front_keys import bearer, keys_file
from tests.support.postgres import postgres
from tests.support.tools import need

KEY = base64.b64encode(b"k" * 32).decode()


async def submit(front: Front, *images: bytes, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
    files = [("image", (f"{number}.jpg", image)) for number, image in enumerate(images)]
    data = {"document": "cni-2018-recto", **form}
    return await front.client.post("/v1/jobs", files=files, data=data, headers=headers)


async def finished(front: Front, job: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            answer = await front.client.get(f"/v1/jobs/{job}", headers=headers)
            assert answer.status_code == 200, answer.text
            if answer.json()["state"] == "done":
                return answer.json()  # type: ignore[no-any-return]
            await asyncio.sleep(0.01)


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_every_image_gets_an_answer_or_an_error() -> None:
    async with running() as front:
        accepted = await submit(front, picture(), b"no picture", picture())
        assert accepted.status_code == 202, accepted.text
        body = accepted.json()
        assert body["id"] != accepted.headers["x-request-id"]  # which a client may choose
        assert accepted.headers["location"] == f"/v1/jobs/{body['id']}" and body["total"] == 3
        assert body["expires_at"] is None
        body = await finished(front, body["id"])
        assert (body["done"], body["failed"], body["next"]) == (3, 1, None) and body["expires_at"]
        results = {result["number"]: result for result in body["results"]}
        assert results[0]["answer"]["data"]["nom_surname"] == "NGO MBARGA" and results[0]["error"] is None
        assert results[1]["error"]["code"] == "not_an_image" and results[1]["answer"] is None
        assert results[2]["answer"]["model"] == "cni@1f3c9a2b4d5e"
        await front.app.state.service.jobs.retention.sweep()
        text = (await front.client.get("/metrics")).text
        assert "ocr_front_jobs 1.0" in text and "ocr_front_job_bytes_waiting 0.0" in text
        assert "ocr_front_job_sweep_failures_total 0.0" in text and "ocr_front_job_sweep_age_seconds" in text


async def test_progress_and_deletion_in_the_middle() -> None:
    gate = threading.Event()
    reader = FakeReader(*RECTO_TEXT, gate=gate)
    async with running(reader) as front:
        pool = front.app.state.service.pool
        first = (await submit(front, picture(), picture())).json()["id"]
        await until(lambda: pool.running)
        second = (await submit(front, picture())).json()["id"]
        assert (await front.client.get(f"/v1/jobs/{first}")).json()["state"] == "running"
        assert (await front.client.get(f"/v1/jobs/{second}")).json()["state"] == "queued"
        listed = (await front.client.get("/v1/jobs?limit=1")).json()
        assert [job["id"] for job in listed["jobs"]] == [second] and listed["next"] == second
        older = (await front.client.get(f"/v1/jobs?before={second}")).json()
        assert [job["id"] for job in older["jobs"]] == [first] and older["next"] is None
        assert (await front.client.delete(f"/v1/jobs/{first}")).status_code == 204
        assert (await front.client.get(f"/v1/jobs/{first}")).status_code == 404
        gate.set()
        assert (await finished(front, second))["failed"] == 0
        assert reader.reads == 2  # the deleted job's second image is never read


async def test_paging() -> None:
    async with running() as front:
        job = (await submit(front, *[picture()] * 5)).json()["id"]
        await finished(front, job)
        numbers, start = [], "0"
        while start is not None:
            page = (await front.client.get(f"/v1/jobs/{job}?limit=2&from={start}")).json()
            numbers.append([result["number"] for result in page["results"]])
            start = page["next"]
        assert numbers == [[0, 1], [2, 3], [4]]
        assert (await front.client.get(f"/v1/jobs/{job}?from=-1")).status_code == 400


async def test_a_busy_service_makes_a_job_wait() -> None:
    server = FakeModelServer(503, 503, RECTO_ANSWER)
    async with running(server=server, retry_seconds=0) as front:
        job = (await submit(front, picture())).json()["id"]
        assert (await finished(front, job))["failed"] == 0
    async with running(server=FakeModelServer(503), retry_seconds=0, jobs_patience=0) as front:
        job = (await submit(front, picture())).json()["id"]
        [result] = (await finished(front, job))["results"]
        assert result["error"]["code"] == "model_server_away"


async def test_people_come_first() -> None:
    gate = threading.Event()
    reader = FakeReader(*RECTO_TEXT, gate=gate)
    async with running(reader) as front:
        pool = front.app.state.service.pool
        job = (await submit(front, *[picture()] * 5)).json()["id"]
        await until(lambda: pool.running)
        people = [asyncio.create_task(front.extract(picture())) for _ in range(3)]
        await until(lambda: pool.people_waiting == 3)
        gate.set()
        assert [(await one).status_code for one in people] == [200] * 3
        done = (await front.client.get(f"/v1/jobs/{job}")).json()["done"]
        assert done <= 2, "one was being read, and one may have begun since"
        await finished(front, job)


async def test_a_key_at_its_limit_holds_up_nobody_and_not_its_own_people(tmp_path: Path) -> None:
    file = keys_file(
        tmp_path,
        {"id": "slow", "scopes": ["inference"], "limits": {"requests_per_second": 0.01}},
        {"id": "good", "scopes": ["inference"]},
        {"id": "one", "scopes": ["inference"], "limits": {"concurrency": 1}},
    )
    async with running(keys_file=file) as front:
        slow, good = bearer("slow"), bearer("good")
        assert (await submit(front, *[picture()] * 4, headers=slow)).status_code == 202
        job = (await submit(front, picture(), headers=good)).json()["id"]
        assert (await finished(front, job, good))["failed"] == 0
    server = FakeModelServer()
    server.delay = 30
    async with running(server=server, keys_file=file) as front:
        assert (await submit(front, picture(), headers=bearer("one"))).status_code == 202
        await asyncio.wait_for(server.asked.wait(), 20)
        server.delay = 0
        files = {"image": ("a.jpg", picture())}
        asked = await front.client.post(
            "/v1/extract", files=files, data={"document": "cni-2018-recto"}, headers=bearer("one")
        )
        assert asked.status_code == 200, "a job takes none of its key's places"


async def test_what_is_refused_at_once() -> None:
    async with running(jobs_images=2, jobs_kept=1, jobs_bytes=100_000) as front:
        assert (await submit(front, picture(), model="none")).status_code == 422
        assert (await submit(front, picture(), document="passport")).status_code == 422
        for form in ({"retention": "9999999"}, {"retention": "x"}, {"store": "no"}, {"include": "photo"}):
            assert (await submit(front, picture(), **form)).status_code == 422, form
        assert (await submit(front)).status_code == 400
        too_many = await submit(front, picture(), picture(), picture())
        assert too_many.status_code == 400 and "more than 2 files" in too_many.text
        assert (await submit(front, bytes(200_000))).status_code in (413, 503)
        assert (await front.client.get("/v1/jobs/none")).status_code == 404
    gate = threading.Event()
    async with running(FakeReader(*RECTO_TEXT, gate=gate), jobs_kept=1) as front:
        assert (await submit(front, picture())).status_code == 202
        full = await submit(front, picture())
        assert full.status_code == 429 and full.headers["retry-after"]
        gate.set()


async def test_several_fronts_without_a_store_refuse_jobs_in_a_sentence() -> None:
    async with running(jobs_embedded=False) as front:
        for answer in (await submit(front, picture()), await front.client.get("/v1/jobs")):
            assert answer.status_code == 404 and "OCR_FRONT_JOBS_DATABASE" in answer.text
        assert (await front.extract(picture())).status_code == 200


async def test_another_key_sees_nothing_of_it() -> None:
    async with running(keys="one,other") as front:
        one, other = ({"Authorization": f"Bearer {key}"} for key in ("one", "other"))
        job = (await submit(front, picture(), headers=one)).json()["id"]
        assert (await front.client.get(f"/v1/jobs/{job}", headers=other)).status_code == 404
        assert (await front.client.delete(f"/v1/jobs/{job}", headers=other)).status_code == 404
        assert (await front.client.get("/v1/jobs", headers=other)).json()["jobs"] == []
        assert (await front.client.get(f"/v1/jobs/{job}")).status_code == 401
        assert (await front.client.get(f"/v1/jobs/{job}", headers=one)).status_code == 200


async def test_a_key_s_jobs_do_not_pass_to_its_successor(tmp_path: Path) -> None:
    kept = {"jobs_file": tmp_path / "jobs.sqlite", "jobs_key": KEY}
    one, other = ({"Authorization": f"Bearer {key}"} for key in ("one", "other"))
    async with running(keys="one,other", **kept) as front:
        job = (await submit(front, picture(), headers=one)).json()["id"]
        await finished(front, job, one)
    async with running(keys="other", **kept) as front:
        assert (await front.client.get(f"/v1/jobs/{job}", headers=other)).status_code == 404


async def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    kept = {"jobs_file": tmp_path / "jobs.sqlite", "jobs_key": KEY}
    gate = threading.Event()
    async with running(FakeReader(*RECTO_TEXT, gate=gate), **kept) as front:
        done = (await submit(front, picture(), picture(), picture())).json()["id"]
        await until(lambda: front.app.state.service.pool.running)
    gate.set()
    for file in tmp_path.glob("jobs.sqlite*"):
        assert file.stat().st_mode & 0o077 == 0
        assert picture()[:64] not in file.read_bytes()
    async with running(**kept) as front:
        body = await finished(front, done)
        assert (body["done"], body["failed"]) == (3, 0)
    for file in tmp_path.glob("jobs.sqlite*"):
        assert b"MBARGA" not in file.read_bytes()


async def test_results_expire_from_their_completion() -> None:
    async with running(jobs_seconds=1) as front:
        job = (await submit(front, picture())).json()["id"]
        await finished(front, job)
        async with asyncio.timeout(20):
            while (await front.client.get(f"/v1/jobs/{job}")).status_code == 200:
                await asyncio.sleep(0.05)


async def test_results_that_are_not_to_be_stored_go_with_their_first_reading() -> None:
    async with running() as front:
        job = (await submit(front, picture(), store="false", include="data")).json()["id"]
        body = await finished(front, job)
        assert set(body["results"][0]["answer"]) == {"id", "document", "model", "data", "needs_review", "warnings"}
        assert (await front.client.get(f"/v1/jobs/{job}")).status_code == 404


async def test_the_same_request_again_is_the_same_job() -> None:
    async with running() as front:
        key = {"Idempotency-Key": "order-17"}
        first, again = [(await submit(front, picture(), headers=key)).json()["id"] for _ in range(2)]
        assert first == again and len((await front.client.get("/v1/jobs")).json()["jobs"]) == 1
        other = await submit(front, picture(), picture(), headers=key)
        assert other.status_code == 422 and "Idempotency-Key" in other.text
        assert (await submit(front, picture(), headers={"Idempotency-Key": "a b"})).status_code == 400


async def test_a_store_that_fails_is_503_and_comes_back() -> None:
    async with running() as front:
        store = front.app.state.service.jobs.store
        inner = store._database

        class Full:
            skip_locked = ""

            async def run(self, work: Any) -> Any:
                from ocr_frontend.errors import JobStoreAway

                raise JobStoreAway("Jobs cannot be kept or read now; try again later.")

        store._database = Full()
        refused = await submit(front, picture())
        assert refused.status_code == 503 and refused.headers["retry-after"]
        assert refused.json()["error"]["code"] == "jobs_unavailable"
        store._database = inner
        assert (await finished(front, (await submit(front, picture())).json()["id"]))["failed"] == 0


@pytest.mark.slow
async def test_two_fronts_share_one_store_and_lose_nothing() -> None:
    need("postgres")
    with postgres() as address:
        shared = {"jobs_database": address, "jobs_key": KEY, "jobs_embedded": False}
        async with running(FakeReader(*RECTO_TEXT), **shared) as one, running(FakeReader(*RECTO_TEXT), **shared) as two:
            jobs = [(await submit(front, *[picture()] * 6)).json()["id"] for front in (one, two)]
            for front, job in ((two, jobs[0]), (one, jobs[1])):  # each is asked for the other's
                body = await finished(front, job)
                assert (body["done"], body["failed"]) == (6, 0)
            assert len(one.server.bodies) + len(two.server.bodies) == 12, "each image was read once"
        gate = threading.Event()
        async with running(FakeReader(*RECTO_TEXT), **shared) as two:
            async with running(FakeReader(*RECTO_TEXT, gate=gate), **shared) as one:
                two.app.state.service.jobs.runner._no_people = asyncio.Event().wait  # it only looks on
                job = (await submit(one, picture(), picture())).json()["id"]
                await until(lambda: one.app.state.service.pool.running)
            gate.set()
        async with running(FakeReader(*RECTO_TEXT), **shared) as two:  # a rollout: another takes over
            assert (await finished(two, job))["failed"] == 0


def address_book(**hosts: str) -> Any:
    async def look_up(host: str, port: int) -> list[str]:
        if host not in hosts:
            raise OSError
        return [hosts[host]]

    return look_up


@pytest.mark.parametrize(
    "url",
    [
        "http://public/x", "ftp://public/x", "https://", "no address", "https://user:pass@public/x", "https://unknown/",
        "https://private/", "https://loop/", "https://meta/", "https://mapped/", "https://six/", "https://public:x/",
    ],
)  # fmt: skip
async def test_addresses_that_are_not_called(url: str) -> None:
    book = address_book(
        public="93.184.216.34", private="10.0.0.7", loop="127.0.0.1", meta="169.254.169.254", mapped="::ffff:10.0.0.7",
        six="fd00::1",
    )  # fmt: skip
    with pytest.raises(Unprocessable):
        await target(url, private=False, look_up=book)


async def test_a_name_that_no_host_can_have_is_refused() -> None:
    with pytest.raises(Unprocessable, match="not known"):
        await target("https://a..b/", private=False)


async def test_what_was_looked_up_is_what_is_called() -> None:
    found = await target(
        "https://hooks.example:8443/a?b=c", private=False, look_up=address_book(**{"hooks.example": "93.184.216.34"})
    )
    async with httpx.AsyncClient() as client:
        request = found.request(client, b"{}", {})
    assert str(request.url) == "https://93.184.216.34:8443/a?b=c"
    assert request.headers["host"] == "hooks.example:8443" and request.extensions["sni_hostname"] == "hooks.example"


async def test_a_caller_is_told_with_a_signature_until_it_listens() -> None:
    told: list[httpx.Request] = []

    async def listener(request: httpx.Request) -> httpx.Response:
        told.append(request)
        return httpx.Response(503 if len(told) == 1 else 204)

    async with running(keys="secret-key", callback_private=True) as front:
        service, key = front.app.state.service, {"Authorization": "Bearer secret-key"}
        for task in service.jobs.tasks:
            task.cancel()
        now = [1e10]
        service.jobs.store._clock = lambda: now[0]
        callbacks = Callbacks(
            service.jobs.store, service.ring, httpx.AsyncClient(transport=httpx.MockTransport(listener)), private=True,
            look_up=address_book(hooks="10.0.0.7"),
        )  # fmt: skip
        refused = await submit(front, picture(), callback_url="https://no-such-host.invalid/", headers=key)
        assert refused.status_code == 422
        job = (await submit(front, picture(), callback_url="http://127.0.0.1:9/done", headers=key)).json()["id"]
        await finished(front, job, key)
        await service.jobs.store._database.run(
            lambda execute: execute("UPDATE cni_jobs SET callback = 'http://hooks/done' WHERE id = ?", (job,))
        )
        assert await callbacks.tell_next() and len(told) == 1
        assert not await callbacks.tell_next(), "not at once again"
        now[0] += 11
        assert await callbacks.tell_next() and len(told) == 2 and callbacks.failures == 1
        now[0] += 1e6
        assert not await callbacks.tell_next(), "it has listened"
    body = told[-1].content
    assert json.loads(body) == {"id": job, "state": "done", "total": 1, "done": 1, "failed": 0}
    moment, digest = (part.partition("=")[2] for part in told[-1].headers[SIGNATURE].split(","))
    secret = hashlib.sha256(b"secret-key").hexdigest()
    assert digest == hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


async def test_without_keys_nobody_is_called() -> None:
    async with running(callback_private=True) as front:
        refused = await submit(front, picture(), callback_url="http://127.0.0.1:9/")
        assert refused.status_code == 422 and "keys" in refused.text
