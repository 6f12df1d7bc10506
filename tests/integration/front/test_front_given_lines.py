"""`POST /v1/extract-lines`: lines that another OCR has read, over a fake model server; no reader is asked."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_frontend.api.given_lines import MOST_BYTES, MOST_LINES, MOST_TEXT
from tests.integration.front.fakes import (
    RECTO_TEXT,
    VERSO_TEXT,
    FakeModelServer,
    FakeReader,
    Front,
    picture,
    running,
    text_lines,
)
from tests.integration.front.test_front_keys import bearer, keys_file

PATH = "/v1/extract-lines"
MARK = "QXZJVMARK"
BOXED = [{"text": each.text, "confidence": each.confidence, "box": each.box} for each in text_lines(*RECTO_TEXT)]
PLAIN = [{"text": text} for text in RECTO_TEXT]


async def send(
    front: Front, lines: Any = BOXED, document: str | None = "cni-2018-recto", **more: Any
) -> httpx.Response:
    body = {"lines": lines, **({} if document is None else {"document": document}), **more}
    return await front.client.post(PATH, json=body)


def refused(answer: httpx.Response, status: int, code: str, says: str = "") -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert says in error["message"]


async def test_lines_with_boxes_are_answered_as_their_picture_is() -> None:
    reader = FakeReader(*RECTO_TEXT)
    async with running(reader) as front:
        seen = (await front.extract(picture())).json()
        given = (await send(front, size=seen["ocr"]["size"])).json()
        assert front.server.bodies[0]["prompt"] == front.server.bodies[1]["prompt"] and reader.reads == 1
    assert given["quality"] == {"ok": True, "checks": {}}
    assert (given["timings_ms"]["decode"], given["timings_ms"]["ocr"]) == (0, 0)
    apart = ("id", "quality", "timings_ms")
    assert given.keys() == seen.keys()
    assert {key: given[key] for key in given if key not in apart} == {
        key: seen[key] for key in seen if key not in apart
    }


async def test_lines_without_boxes_are_laid_out_one_under_the_other() -> None:
    async with running() as front:
        body = (await send(front, PLAIN)).json()
        boxed = (await send(front)).json()
    assert body["data"] == boxed["data"] and [each["text"] for each in body["ocr"]["lines"]] == list(RECTO_TEXT)
    tops = [each["box"][0][1] for each in body["ocr"]["lines"]]
    assert tops == sorted(set(tops)) and body["ocr"]["size"][1] >= tops[-1]
    assert {each["confidence"] for each in body["ocr"]["lines"]} == {1.0}
    assert boxed["ocr"]["size"] == [90, 159]


async def test_labels_claim_what_stands_under_them_without_boxes_too() -> None:
    """The model leaves the profession out; the line under its label is taken, as it is from a picture."""
    async with running(server=FakeModelServer("[2,4,6,8,11,12,null]")) as front:
        body = (await send(front, PLAIN)).json()
    assert body["fields"]["profession"]["value"] == "ÉLÈVE"
    assert body["fields"]["profession"]["source"] == "rule:taken_from_label"


async def test_the_document_is_found_in_the_lines() -> None:
    async with running() as front:
        for document in (None, "auto", ""):
            assert (await send(front, document=document)).json()["document"] == "cni-2018-recto"
        refused(await send(front, [{"text": "TOTAL 5200"}], "auto"), 422, "document_not_recognised")
        refused(await send(front, [{"text": text} for text in VERSO_TEXT], "auto"), 422, "unknown_document")
        refused(await send(front, document="passport"), 422, "unknown_document")
        refused(await send(front, model="none"), 422, "unknown_model")
        assert len(front.server.bodies) == 3


async def test_a_part_of_the_answer_is_enough() -> None:
    async with running() as front:
        lines = {"lines": PLAIN, "document": "cni-2018-recto"}
        body = (await front.client.post(f"{PATH}?include=data", json=lines)).json()
        refused(await front.client.post(f"{PATH}?include=photo", json=lines), 422, "unprocessable", "include")
    assert set(body) == {"id", "document", "model", "data", "needs_review", "warnings"}


@pytest.mark.parametrize(
    ("lines", "status", "code", "says"),
    [
        ([BOXED[0], PLAIN[1]], 422, "unprocessable", "with every line, or with none"),
        ([], 422, "no_text_found", "No line has text."),
        ([{"text": " "}], 422, "no_text_found", "No line has text."),
        ([{"text": "x"}] * (MOST_LINES + 1), 422, "unprocessable", f"`lines` takes a list of up to {MOST_LINES}"),
        ([{"text": "x" * 2001}], 422, "unprocessable", "`lines[0].text` takes text of up to 2000 characters"),
        (
            [{"text": "x" * 1001}] * (MOST_TEXT // 1000),
            422,
            "unprocessable",
            f"more than {MOST_TEXT} characters in all",
        ),
        (["x"], 422, "unprocessable", "`lines` takes a list"),
        ("x", 422, "unprocessable", "`lines` takes a list"),
        ([{}], 400, "bad_request", "`lines[0].text` is missing"),
        ([{"text": 5}], 422, "unprocessable", "`lines[0].text` takes text"),
        (
            [{"text": "x"}, {"text": "x", "confidence": 1.5}],
            422,
            "unprocessable",
            "`lines[1].confidence` takes a number",
        ),
        ([{"text": "x", "confidence": True}], 422, "unprocessable", "a number from 0 to 1"),
        ([{"text": "x", "box": [[0, 0], [1, 0], [1, 1]]}], 422, "unprocessable", "`lines[0].box` takes four corners"),
        ([{"text": "x", "box": [[0, 0], [1, 0], [1, 1], [0, 1e9]]}], 422, "unprocessable", "from -100000 to 100000"),
        ([{"text": "x", MARK: 1}], 422, "unprocessable", "`lines[0]` has a field that this route does not take"),
    ],
)
async def test_what_cannot_be_read_is_one_sentence(lines: Any, status: int, code: str, says: str) -> None:
    async with running() as front:
        answer = await send(front, lines)
        assert front.server.bodies == []
    refused(answer, status, code, says)
    assert MARK not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        (b"", 400, "bad_request", "not JSON"),
        (b"{", 400, "bad_request", "not JSON"),
        (b"[" * 100_000, 400, "bad_request", "not JSON"),
        (b'{"lines": [{"text": "\\ud800"}]}', 400, "bad_request", "not JSON"),
        (b'{"lines": [{"text": "\xff"}]}', 400, "bad_request", "not JSON"),
        (b"[]", 400, "bad_request", "a JSON object with `lines`"),
        (b"{}", 400, "bad_request", "`lines` is missing"),
        (b'{"lines": [], "pages": 1}', 422, "unprocessable", "it takes `document`, `model`, `card`, `lines`, `size`"),
        (b'{"lines": [{"text": "x", "confidence": NaN}]}', 422, "unprocessable", "a number from 0 to 1"),
        (b'{"lines": [{"text": "x"}], "size": [0, 5]}', 422, "unprocessable", "`size` takes [width, height]"),
        (b'{"lines": [{"text": "x"}], "card": 0}', 422, "unprocessable", "`card` takes one whole number"),
        (b'{"lines": [{"text": "x"}], "document": 7}', 422, "unprocessable", "`document` takes text"),
        (b" " * (MOST_BYTES + 1), 413, "image_too_large", f"more than {MOST_BYTES} bytes"),
    ],
)
async def test_a_body_that_is_none(body: bytes, status: int, code: str, says: str) -> None:
    async with running() as front:
        refused(await front.client.post(PATH, content=body), status, code, says)


async def test_a_body_without_an_announced_length_is_bounded_too() -> None:
    async def endless() -> Any:
        while True:
            yield b" " * 65536

    async with running() as front:
        refused(await front.client.post(PATH, content=endless()), 413, "image_too_large")
        assert (await send(front)).status_code == 200


async def test_null_is_as_good_as_nothing() -> None:
    lines = [{"text": text, "confidence": None, "box": None} for text in RECTO_TEXT]
    async with running() as front:
        answer = await send(front, lines, model=None, size=None, card=None)
    assert answer.status_code == 200 and answer.json()["data"]["profession"] == "ÉLÈVE"


async def test_scopes_models_and_limits_are_those_of_pictures(tmp_path: Path) -> None:
    own = {"id": "own", "scopes": ["inference"], "adapters": ["x"]}
    slow = {"id": "slow", "scopes": ["inference"], "limits": {"tokens_per_minute": 1}}
    file, log = keys_file(tmp_path, {"id": "looker", "scopes": ["metrics"]}, own, slow), tmp_path / "access.jsonl"
    async with running(keys_file=file, access_log=log) as front:

        async def ask(name: str) -> httpx.Response:
            headers = bearer(name) if name else {}
            body = {"lines": PLAIN, "document": "cni-2018-recto"}
            return await front.client.post(PATH, json=body, headers=headers)

        refused(await ask(""), 401, "unauthorized")
        refused(await ask("looker"), 403, "forbidden", "`inference`")
        refused(await ask("own"), 403, "forbidden")
        assert (await ask("slow")).status_code == 200
        refused(await ask("slow"), 429, "rate_limited")
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["action"], each["status"]) for each in said] == [
        (f"POST {PATH}", status) for status in (401, 403, 403, 200, 429)
    ]


async def test_a_full_service_says_so_and_a_late_answer_ends() -> None:
    server = FakeModelServer()
    server.delay = 20
    async with running(server=server, max_requests=1, request_seconds=1) as front:
        first = asyncio.create_task(send(front))
        await server.asked.wait()
        refused(await send(front), 503, "busy")
        refused(await first, 504, "deadline_exceeded")
    assert server.cancelled == 1


async def test_stages_of_a_picture_are_not_counted() -> None:
    async with running() as front:
        await send(front)
        text = (await front.client.get("/metrics")).text
    assert f'ocr_front_requests_total{{route="{PATH}",status="2xx"}} 1.0' in text
    counts = {
        stage: f'ocr_front_stage_duration_seconds_count{{stage="{stage}"}}' for stage in ("ocr", "decode", "queue")
    }
    assert all(f"{name} 0.0" in text for name in counts.values())
    assert 'ocr_front_stage_duration_seconds_count{stage="llm"} 1.0' in text


@pytest.mark.parametrize(
    "answer", ["[2,4,6,8,11,12,14]", f'["{MARK}"', 500, httpx.ConnectError(MARK), RuntimeError(MARK)]
)
async def test_nothing_of_the_lines_gets_out(
    answer: str | int | Exception, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    marked = [{"text": f"{MARK} {line['text']}"} for line in PLAIN]
    async with running(server=FakeModelServer(answer)) as front:
        for lines, more in (
            (PLAIN, {"document": MARK}), (PLAIN, {"model": MARK}), (PLAIN, {MARK: MARK}), (marked, {"size": MARK}),
            ([{"text": [MARK]}], {}), ([{"text": MARK, "box": MARK}], {}), ([{MARK: MARK, "text": MARK}], {}),
        ):  # fmt: skip
            response = await send(front, lines, **more)
            assert response.status_code >= 400 and MARK not in response.text + str(response.headers)
        response = await send(front, marked)
        assert (response.status_code == 200) == (answer == "[2,4,6,8,11,12,14]")
        assert MARK not in response.text or response.status_code == 200
        assert MARK not in (await front.client.get("/metrics")).text
    out = capfd.readouterr()
    assert MARK not in caplog.text + out.out + out.err


async def test_a_value_of_given_lines_can_be_put_right_too() -> None:
    async with running(corrections=True) as front:
        answer = (await send(front, PLAIN)).json()
        right = {"fields": {"nom_surname": "NGO MBARGA EPSE ABENA"}}
        assert (await front.client.put(f"/v1/results/{answer['id']}", json=right)).status_code == 200
        row = json.loads((await front.client.get("/v1/corrections")).text)
    assert row["lines"] and row["document"] == "cni-2018-recto"


async def test_the_description_has_the_body() -> None:
    async with running() as front:
        path = (await front.client.get("/openapi.json")).json()["paths"][PATH]["post"]
    schema = path["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["lines"] and set(schema["properties"]) == {
        "document",
        "model",
        "card",
        "lines",
        "size",
    }
    assert set(schema["properties"]["lines"]["items"]["properties"]) == {"text", "confidence", "box"}
