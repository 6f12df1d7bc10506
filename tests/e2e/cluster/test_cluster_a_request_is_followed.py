"""A request through the router is the same one on the server: its id, its log line, its span."""

import asyncio
import json
import time
from pathlib import Path

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .conftest import ROOT, Cluster

_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_SECRET = "NGO MBARGA MARIE"


async def test_one_request_id_one_trace_and_nothing_of_the_prompt(cluster: Cluster) -> None:
    headers = {"X-Session-ID": "cni", "X-Request-Id": "card-7", "traceparent": f"00-{_TRACE}-{_SPAN}-01"}
    body = {"model": "cni", "prompt": _SECRET, "max_tokens": 4, "temperature": 0}
    async with httpx.AsyncClient(base_url=cluster.router, timeout=120) as client:
        answer = await client.post("/v1/completions", json=body, headers=headers)
        # Without a key for its placement the router takes the body for one, and must not write it down.
        assert (await client.post("/v1/completions", json=body)).status_code == 200
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-request-id"] == "card-7"
    line = _logged(cluster, "card-7")
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/completions", 200)
    spans = [span for span in await _spans(cluster) if span.trace_id.hex() == _TRACE]
    assert [span.name for span in spans] == ["llm_request"]
    assert any("card-7" in attribute.value.string_value for attribute in spans[0].attributes)
    assert _SECRET.encode() not in b"".join(cluster.collector.received)
    assert all(_SECRET not in path.read_text(errors="replace") for path in _logs(cluster))


async def _spans(cluster: Cluster) -> list[Span]:
    """Once that of the request is there: they are sent in batches."""
    deadline = time.monotonic() + 60
    while not any(span.trace_id.hex() == _TRACE for span in cluster.collector.spans()):
        assert time.monotonic() < deadline, [span.name for span in cluster.collector.spans()]
        await asyncio.sleep(0.5)
    return cluster.collector.spans()


def _logs(cluster: Cluster) -> list[Path]:
    port = cluster.router.rsplit(":", 1)[1]
    return list((ROOT / "runs/cluster" / port).glob("*.log"))


def _logged(cluster: Cluster, request_id: str) -> dict[str, object]:
    """The one line of a request, from whichever server answered it; a second one says what it used."""
    lines = [line for path in _logs(cluster) for line in path.read_text(errors="replace").splitlines()]
    found = [json.loads(line) for line in lines if line.startswith("{") and f'"{request_id}"' in line]
    requests = [line for line in found if "route" in line]
    assert len(requests) == 1 and len(found) <= 2, found
    return requests[0]
