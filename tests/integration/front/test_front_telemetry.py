"""One trace a card, one request id through both services, log lines for machines; nothing of a card in any of them."""

import json
import logging
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ocr_frontend.observability.logs import JsonFormatter
from ocr_frontend.observability.telemetry import TelemetryError, start
from tests.integration.front.fakes import RECTO_ANSWER, RECTO_TEXT, FakeModelServer, picture, running


class Listening(FakeModelServer):
    """Keeps the headers of what it is asked."""

    def __init__(self, *answers: str | int) -> None:
        super().__init__(*answers)
        self.headers: list[httpx.Headers] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/completions":
            self.headers.append(request.headers)
        return await super().__call__(request)


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Of the one provider that a process can have."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter


async def test_a_card_is_one_trace_that_the_model_server_can_join(spans: InMemorySpanExporter) -> None:
    server = Listening()
    async with running(server=server) as front:
        assert (await front.extract(picture(), model="cni")).status_code == 200
    found = {span.name: span for span in spans.get_finished_spans()}
    assert {"card", "decode", "ocr", "prompt", "llm", "validate"} <= set(found)
    root = found["card"].context
    assert root is not None and found["card"].parent is None
    for name in ("decode", "ocr", "prompt", "llm", "validate"):
        parent = found[name].parent
        assert parent is not None and parent.span_id == root.span_id, name
        assert _within(found[name], found["card"]), name
    llm = found["llm"].context
    assert llm is not None
    sent = server.headers[0]["traceparent"].split("-")
    assert sent[1:3] == [f"{llm.trace_id:032x}", f"{llm.span_id:016x}"]


def _within(inner: ReadableSpan, outer: ReadableSpan) -> bool:
    times = (outer.start_time, inner.start_time, inner.end_time, outer.end_time)
    return list(times) == sorted(times, key=lambda moment: moment or 0)


@pytest.mark.parametrize("answer", [RECTO_ANSWER, "no such answer NGO MBARGA", 400])
async def test_nothing_of_a_card_is_in_a_span(spans: InMemorySpanExporter, answer: str | int) -> None:
    """Whatever becomes of it: an answer, an answer that is none, a refusal that quotes the prompt."""
    async with running(server=FakeModelServer(answer)) as front:
        await front.extract(picture(), model="cni")
    everything = "".join(span.to_json() for span in spans.get_finished_spans())
    assert '"card"' in everything
    for text in (*(line for line in RECTO_TEXT if len(line) > 3), "Élise", "[2,4", "read\\n"):
        assert text not in everything
        assert json.dumps(text)[1:-1] not in everything
    errors = {(span.attributes or {}).get("error.type") for span in spans.get_finished_spans()} - {None}
    assert errors == {RECTO_ANSWER: set(), 400: {"Unprocessable"}}.get(answer, {"InvalidAnswer"})


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("card-7.front_1", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("two words", False),
        ('"}{', False),
        ("", False),
    ],
)
async def test_the_request_id_goes_through(given: str, taken: bool) -> None:
    server = Listening()
    async with running(server=server) as front:
        front.client.headers["X-Request-Id"] = given
        answer = await front.extract(picture(), model="cni")
    assert (answer.headers["x-request-id"] == given) is taken
    assert answer.json()["id"] == answer.headers["x-request-id"] == server.headers[0]["x-request-id"]


async def test_a_request_says_where_it_wants_to_be_answered() -> None:
    """The router's key: one model's requests meet on as many servers as were said."""
    server = Listening()
    async with running(server=server, places=2) as front:
        for _ in range(12):
            await front.extract(picture(), model="cni")
    assert {headers["x-session-id"] for headers in server.headers} == {"cni.0", "cni.1"}


async def test_a_json_line_is_for_machines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="ocr_frontend"):
        async with running() as front:
            answer = await front.extract(picture(), model="cni")
    lines = [
        json.loads(JsonFormatter().format(record)) for record in caplog.records if "extract" in record.getMessage()
    ]
    assert [line["request_id"] for line in lines] == [answer.headers["x-request-id"]]
    assert (lines[0]["method"], lines[0]["route"], lines[0]["status"]) == ("POST", "/v1/extract", 200)
    assert lines[0]["duration_ms"] >= 0 and lines[0]["time"].endswith("Z")


def test_an_exceptions_text_stays_out_of_a_json_line() -> None:
    try:
        raise ValueError("NGO MBARGA")
    except ValueError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "f", 1, "it failed", None, sys.exc_info())
    line = json.loads(JsonFormatter().format(record))
    assert line["error"] == "ValueError" and "MBARGA" not in json.dumps(line)


def test_without_the_packages_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TelemetryError, match=r"pip install 'cni-lora-server\[otel\]'"):
        start("http://127.0.0.1:4318/v1/traces")


async def test_given_lines_are_a_trace_without_a_picture_and_without_the_lines(spans: InMemorySpanExporter) -> None:
    body = {"document": "cni-2018-recto", "lines": [{"text": text} for text in RECTO_TEXT]}
    async with running() as front:
        assert (await front.client.post("/v1/extract-lines", json=body)).status_code == 200
    found = {span.name: span for span in spans.get_finished_spans()}
    assert {"card", "prompt", "llm", "validate"} <= set(found) and not {"decode", "ocr", "quality"} & set(found)
    assert not any(RECTO_TEXT[3] in span.to_json() for span in found.values())
