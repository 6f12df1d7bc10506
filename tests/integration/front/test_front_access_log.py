"""The access log: who read whose data when, without any of it."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from ocr_frontend.cli.main import main
from tests.integration.front.fakes import picture, running
from tests.integration.front.test_front_jobs import finished, submit


async def test_who_read_what_and_nothing_of_it(tmp_path: Path) -> None:
    file = tmp_path / "access.jsonl"
    key = {"Authorization": "Bearer one"}
    async with running(keys="one", access_log=file, jobs_seconds=1) as front:
        files = {"image": ("MBARGA.jpg", picture())}
        await front.client.post("/v1/extract", files=files, data={"document": "cni-2018-recto"}, headers=key)
        await front.client.post("/v1/extract", files=files)
        job = (await submit(front, picture(), headers=key)).json()["id"]
        await finished(front, job, key)
        await front.client.get("/v1/jobs/NGO-MBARGA", headers=key)
        await front.client.get("/health")
        async with asyncio.timeout(20):
            while "expired" not in file.read_text():
                await asyncio.sleep(0.05)
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert "MBARGA" not in text and "one" not in text.replace("done", "")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["action"], line.get("status")) for line in lines[:3]] == [
        ("POST /v1/extract", 200), ("POST /v1/extract", 401), ("POST /v1/jobs", 202),
    ]  # fmt: skip
    assert lines[0]["key"].startswith("key-") and "key" not in lines[1] and lines[2]["job"] == job
    assert lines[-1]["action"] == "expired" and lines[-1]["job"] == job
    assert {line["action"] for line in lines} >= {"GET /v1/jobs/{job_id}"} and not any(
        "health" in str(one) for one in lines
    )


async def test_a_log_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    async with running(access_log=folder / "access.jsonl") as front:
        os.remove(folder / "access.jsonl")  # noqa: PTH107
        folder.rmdir()
        assert (await front.extract(picture())).status_code == 200
        async with asyncio.timeout(20):
            while "ocr_front_access_log_failures_total 1.0" not in (await front.client.get("/metrics")).text:
                await asyncio.sleep(0.01)


def test_a_path_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OCR_FRONT_ACCESS_LOG", "/none/such/access.jsonl")
    assert main(["serve"]) == 2
    assert "OCR_FRONT_ACCESS_LOG" in capsys.readouterr().err
