"""A canary over HTTP: it takes its steps by itself while its answers are good, and goes back by itself."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.registry.store import Registry
from tests.support.tiny_models import write_adapter


@pytest.fixture
def revisions(root: Path, tmp_path: Path) -> tuple[str, str]:
    registry = Registry(root)
    first, second = (registry.register("cni", write_adapter(tmp_path / str(s), seed=s))[0] for s in (1, 2))
    return first, second


async def until(server: Any, serving: set[str]) -> int:
    """Ask until the alias means these; how many requests that took."""
    for count in range(4000):
        if set(server.context.plane.catalogue.adapters["cni"].weights) == serving:
            return count
        await server.ask("cni")
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def settled(server: Any, serving: set[str]) -> None:
    """Wait for a step that was decided upon and is being written down: a disk may take its time."""
    for _ in range(3000):
        if set(server.context.plane.catalogue.adapters["cni"].weights) == serving:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


async def test_a_good_canary_takes_its_steps_and_serves_alone(
    root: Path, start: Any, revisions: tuple[str, str]
) -> None:
    first, second = revisions
    async with start() as server, server.client() as client:
        server.engine.paces = {f"cni@{first}": 0.02, f"cni@{second}": 0.021}
        body = {"canary": {"revision": second[:6], "steps": [20, 50], "answers": 10}}
        begun = await client.put("/v1/adapters/cni", json=body)
        assert begun.status_code == 200, begun.text
        assert begun.json()["weights"] == {first: 80.0, second: 20.0} and begun.headers["etag"]
        shown = (await client.get("/v1/adapters/cni")).json()["canary"]
        assert (shown["share"], shown["steps"], shown["answers"]) == (20, [20, 50, 100], 10)
        assert await until(server, {second}) >= 40, "ten of each side in each of two steps"
        while (await client.get("/v1/adapters/cni")).json()["canary"] is not None:
            await asyncio.sleep(0.01)  # the step is written down after it is taken
        text = (await client.get("/metrics")).text
    for event, count in (("begun", 1.0), ("advanced", 1.0), ("completed", 1.0)):
        assert f'cni_server_canaries_total{{adapter="cni",event="{event}"}} {count}' in text
    who = [json.loads(line)["who"] for line in (root / "audit.jsonl").read_text().splitlines()]
    assert who == ["local", "server", "server"], "every step is written down"


async def test_a_slow_canary_goes_back(start: Any, revisions: tuple[str, str]) -> None:
    first, second = revisions
    async with start() as server, server.client() as client:
        server.engine.paces = {f"cni@{first}": 0.02, f"cni@{second}": 0.2}
        body = {"canary": {"revision": second, "steps": [50], "answers": 8}}
        assert (await client.put("/v1/adapters/cni", json=body)).status_code == 200
        await until(server, {first})
        while (await client.get("/v1/adapters/cni")).json()["canary"] is not None:
            await asyncio.sleep(0.01)
        text = (await client.get("/metrics")).text
        assert 'cni_server_canaries_total{adapter="cni",event="rolled_back"} 1.0' in text
        assert 'cni_server_rollbacks_total{adapter="cni",reason="automatic"} 1.0' in text


async def test_a_canary_whose_answers_hold_no_schema_goes_back(start: Any, revisions: tuple[str, str]) -> None:
    first, second = revisions
    async with start(split_min_requests=1000) as server, server.client() as client:
        body = {"canary": {"revision": second, "steps": [50], "answers": 20}}
        assert (await client.put("/v1/adapters/cni", json=body)).status_code == 200
        for number in range(200):
            answer = await client.post(
                "/v1/completions", json={"model": "cni", "prompt": "p"}, headers={"X-Request-Id": f"r{number}"}
            )
            model = answer.json()["model"]
            if model == f"cni@{second}":
                report = {"model": model, "request_id": f"r{number}", "outcome": "invalid_json"}
                assert (await client.post("/v1/feedback", json=report)).status_code == 204
            if set(server.context.plane.catalogue.adapters["cni"].weights) == {first}:
                break
        await settled(server, {first})


async def test_an_operators_decision_ends_it_and_what_cannot_be_a_canary_is_refused(
    start: Any, revisions: tuple[str, str]
) -> None:
    first, second = revisions
    async with start() as server, server.client() as client:

        async def put(**body: Any) -> int:
            return int((await client.put("/v1/adapters/cni", json=body)).status_code)

        assert await put(canary={"revision": first}) == 409, "it serves already"
        assert await put(canary={"revision": "ffff"}) == 404
        assert await put(canary={"revision": second, "steps": [10, 5]}) == 400
        assert await put(canary={"revision": second}, revision=second) == 400
        assert await put(canary={"revision": second, "answers": 5, "steps": [50]}) == 200
        assert await put(split={first: 60, second: 40}) == 200
        assert (await client.get("/v1/adapters/cni")).json()["canary"] is None
        for _ in range(40):
            await server.ask("cni")
        shown = (await client.get("/v1/adapters/cni")).json()
        assert shown["serving"] == {first: 0.6, second: 0.4}
