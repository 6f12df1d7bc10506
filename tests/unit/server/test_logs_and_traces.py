"""The server's request id and JSON lines, and what the launch tells vLLM about traces."""

import json
import logging
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from server.launch import plan
from server.logs import JsonFormatter, RequestIds
from server.machine import Machine
from server.settings import Settings

MACHINE = Machine("/python", (0, 1), 16 << 30, True, None, None, frozenset({"cni_routes"}))
COLLECTOR = "http://127.0.0.1:4318/v1/traces"


async def _seen(request: Request) -> JSONResponse:
    return JSONResponse({"seen": request.headers.getlist("x-request-id")})


def _client(lines: bool) -> httpx.AsyncClient:
    routes = [Route("/v1/models/{model}", _seen), Route("/health", _seen), Route("/secret/{name}", _seen)]
    app = RequestIds(Starlette(routes=routes), lines)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server")


@pytest.mark.parametrize(
    ("given", "taken"), [("card-7.a_b", True), ("x" * 129, False), ('a"b', False), ("a b", False), ("", False)]
)
async def test_the_callers_id_is_taken_if_it_is_one(given: str, taken: bool) -> None:
    async with _client(False) as client:
        answer = await client.get("/health", headers={"X-Request-Id": given})
    used = answer.headers["x-request-id"]
    assert (used == given) is taken and len(used) >= 8
    assert answer.json()["seen"] == [used], "what vLLM reads is the same, and once"


async def test_a_line_names_the_route_and_never_the_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="server.requests"):
        async with _client(True) as client:
            await client.get("/v1/models/MBARGA", headers={"X-Request-Id": "one"})
            await client.get("/secret/MBARGA", headers={"X-Request-Id": "two"})
            await client.get("/health", headers={"X-Request-Id": "probe"})
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    assert [(line["request_id"], line["route"], line["status"]) for line in lines] == [
        ("one", "/v1/models/{model}", 200), ("two", "other", 200),
    ]  # fmt: skip
    assert "MBARGA" not in json.dumps(lines)


async def test_without_json_no_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="server.requests"):
        async with _client(False) as client:
            await client.get("/v1/models/cni")
    assert caplog.records == []


def test_traces_are_off_until_a_collector_is_named() -> None:
    launch = plan(Settings(model="m"), MACHINE, False)
    assert "--otlp-traces-endpoint" not in launch.command
    assert not [name for name in launch.environment if name.startswith("OTEL_")]


@pytest.mark.parametrize(("endpoint", "protocol"), [(COLLECTOR, "http/protobuf"), ("http://collector:4317", "grpc")])
def test_vllm_is_told_where_and_how(endpoint: str, protocol: str) -> None:
    launch = plan(Settings(model="m", otlp_endpoint=endpoint), MACHINE, False)
    assert launch.command[launch.command.index("--otlp-traces-endpoint") + 1] == endpoint
    assert launch.environment["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == protocol


def test_a_collector_without_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="otlp_endpoint"):
        Settings(model="m", otlp_endpoint="collector:4317")
