"""Marked values through jobs, both sides, a zone, the command line and refused uploads: they stay where they belong."""

import json
import logging
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_frontend.cli.main import main
from tests.integration.front.fakes import FakeModelServer, FakeReader, Front, picture, running
from tests.integration.front.test_front_jobs import KEY, finished, submit
from tests.integration.front.test_front_secrecy import MARK, OBJECT, TEXTS

# A zone whose check digits hold, with the mark as surname.
ZONE = ("I<CMR1234567897AB12345678<<<<<", "9002018F3501014CMR<<<<<<<<<<<5", f"{MARK}<<{MARK}<<<<<<<<<<<<<")
TABLES = ("jobs", "files", "images", "results")
FAILURES: list[Any] = ["[2,4,6,8,11,12,14]", f'["{MARK}', 500, httpx.ConnectError(MARK), RuntimeError(MARK)]


@pytest.fixture(autouse=True)
def _nowhere(caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After every test: no mark in a log line, none in a file that was left behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    caplog.set_level(logging.DEBUG)
    yield
    assert MARK not in caplog.text
    assert [file for file in tmp_path.rglob("*") if file.is_file() and MARK.encode() in file.read_bytes()] == []
    assert list(scratch.iterdir()) == []


async def clean(front: Front, *responses: httpx.Response) -> None:
    """Nothing of it in headers and metrics, and nothing in what was refused."""
    for response in responses:
        assert MARK not in str(response.headers)
        assert response.is_success or MARK not in response.text
    assert MARK not in (await front.client.get("/metrics")).text


@pytest.mark.parametrize("failure", FAILURES)
async def test_jobs_and_the_file_after_deletion(failure: Any, tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite"
    settings: dict[str, Any] = {"jobs_file": file, "jobs_key": KEY, "jobs_patience": 0, "retry_seconds": 0}
    async with running(FakeReader(*TEXTS), FakeModelServer(failure), **settings) as front:
        refused = await submit(front, picture(), model=MARK)
        wrong = await submit(front, picture(), document=MARK)
        accepted = await submit(front, picture(), picture()[:500], MARK.encode())
        job = accepted.json()["id"]
        for result in (await finished(front, job))["results"]:
            assert result["error"] is None or MARK not in json.dumps(result["error"])
        # SQLite's file and its log: encrypted while it is kept.
        assert not [one for one in tmp_path.glob("jobs.sqlite*") if MARK.encode() in one.read_bytes()]
        assert (await front.client.delete(f"/v1/jobs/{job}")).status_code == 204
        await clean(front, refused, wrong, accepted, await front.client.get(f"/v1/jobs/{MARK}"))
    with sqlite3.connect(file) as database:
        assert MARK not in "".join(database.iterdump())
        assert [database.execute(f"SELECT count(*) FROM cni_{name}").fetchone() for name in TABLES] == [(0,)] * 4


@pytest.mark.parametrize("failure", [*FAILURES, OBJECT])
async def test_both_sides(failure: Any) -> None:
    async with running(FakeReader(*TEXTS), FakeModelServer(failure), retry_seconds=0) as front:
        post = front.client.post
        files = {"recto": (f"{MARK}.jpg", picture()), "verso": (f"{MARK}.jpg", picture())}
        answers = [
            await post("/v1/cards", files=files, data={"version": "2018"}),
            await post("/v1/cards", files=files, data={"version": MARK}),
            await post("/v1/cards", files=files | {"verso": ("b", MARK.encode())}),
            await post("/v1/cards", files={"recto": ("b", picture())}, data={"other": MARK}),
        ]
        await clean(front, *answers)


async def test_both_sides_that_are_answered() -> None:
    async with running(FakeReader(*TEXTS), FakeModelServer(OBJECT), retry_seconds=0) as front:
        front.server.answered_by = "base"
        files = {"recto": (f"{MARK}.jpg", picture()), "verso": (f"{MARK}.jpg", picture())}
        answer = await front.client.post("/v1/cards", files=files, data={"version": "2018", "model": "base"})
        assert answer.status_code == 200 and MARK in answer.text, answer.text[:300]
        await clean(front, answer)


async def test_a_zone() -> None:
    texts = ("NOM DU PERE / FATHER'S NAME", MARK, "TAILLE / HEIGHT", "1,70", "NUMERO CNI / NIC NUMBER", *ZONE)
    for answer in (OBJECT, f'{{"{MARK}', 500):
        async with running(FakeReader(*texts), FakeModelServer(answer), retry_seconds=0) as front:
            front.server.answered_by = "base"
            response = await front.extract(picture(), document="cni-2025-verso", model="base")
            assert not response.is_success or response.json()["mrz"]["surname"] == MARK
            await clean(front, response)


async def test_refused_uploads_and_keys() -> None:
    async with running(keys=f"{MARK}-key", max_bytes=100_000) as front:
        post, key = front.client.post, {"Authorization": f"Bearer {MARK}-key"}
        form = {"content-type": f"multipart/form-data; boundary={MARK}"}
        answers = [
            await post("/v1/extract", content=f"--{MARK}\r\n{MARK}: {MARK}".encode(), headers=key | form),
            await post("/v1/extract", files={"image": (MARK, MARK.encode() * 20_000)}, headers=key),
            await post("/v1/extract", files={MARK: (MARK, picture())}, data={"image": MARK}, headers=key),
            await post("/v1/jobs", files=[("image", (MARK, MARK.encode() * 9))] * 101, headers=key),
            await post(f"/v1/{MARK}", headers=key),
            await front.client.get(f"/v1/documents?name={MARK}", headers={"Authorization": f"Bearer {MARK}"}),
            await front.client.get(f"/web/{MARK}.js"),
        ]
        assert not any(answer.is_success for answer in answers)
        await clean(front, *answers)


@pytest.mark.parametrize("failing", ["picture", "server", "reader"])
def test_the_command_line(
    failing: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(FakeReader):
        def read(self, image: object) -> list[Any]:  # type: ignore[override]
            raise ValueError(MARK)

    monkeypatch.setattr(
        "ocr_frontend.api.service.PaddleReader", lambda *_: Broken() if failing == "reader" else FakeReader(*TEXTS)
    )
    server = FakeModelServer(httpx.ConnectError(MARK) if failing == "server" else "[2,4,6,8,11,12,14]")
    monkeypatch.setattr(
        "ocr_frontend.api.service._client",
        lambda _: httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://server"),
    )
    (tmp_path / "card.png").write_bytes(picture()[:500] if failing == "picture" else picture())
    command = ["extract", str(tmp_path / "card.png"), "--document", "cni-2018-recto", "--format"]
    for form in ("table", "json", "jsonl", "csv"):
        assert main([*command, form]) == 1
    out = capfd.readouterr()
    assert MARK not in out.out + out.err and "card.png: " in out.err and "Traceback" not in out.err
