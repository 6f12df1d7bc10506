"""What a request may ask for, what it costs however it ends, and who may come in from where."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.registry.store import Registry
from server.auth.keys import Key, Limits, hash_secret
from server.auth.keys_edit import add_key
from tests.support.tiny_models import write_adapter


@pytest.fixture(autouse=True)
def adapter(root: Path) -> str:
    return Registry(root).register("cni", write_adapter(root / ".incoming" / "a", seed=1))[0]


def keys_of(folder: Path, **limits: Any) -> Path:
    for name, one in limits.items():
        key = Key(id=name, sha256=hash_secret(name), scopes=frozenset({"inference"}), limits=Limits(**one))
        add_key(folder / "keys.json", key)
    return folder / "keys.json"


def counted(server: Any, name: str, **labels: str) -> float:
    return float(server.app.state.cni_registry.get_sample_value(f"cni_server_{name}", labels) or 0)


async def test_a_list_of_prompts_counts_as_what_it_is(tmp_path: Path, start: Any) -> None:
    path = keys_of(tmp_path, few={"concurrency": 4}, many={})
    async with start(keys_file=path, max_sequences=16) as server:
        assert (await server.ask("cni", key="few", prompt=["a"] * 4)).status_code == 200
        refused = await server.ask("cni", key="few", prompt=["a"] * 3, n=2, temperature=1)
        assert refused.status_code == 400 and "asks for 6" in refused.json()["error"]["message"]
        refused = await server.ask("cni", key="many", prompt=["a"] * 17)
        assert refused.status_code == 400 and refused.json()["error"]["code"] == "too_many_sequences"


async def test_several_answers_of_an_adapter_need_a_temperature(start: Any) -> None:
    async with start() as server:
        refused = await server.ask("cni", n=2)
        assert refused.status_code == 400 and "temperature" in refused.json()["error"]["message"]
        assert (await server.ask("cni", n=2, temperature=0.7)).status_code == 200
        assert (await server.ask("tiny-base", n=2)).status_code == 200


async def test_tokens_are_reserved_while_requests_run(tmp_path: Path, start: Any) -> None:
    path = keys_of(tmp_path, limited={"tokens_per_minute": 100})
    async with start(keys_file=path) as server:
        server.engine.gate.clear()
        running = [asyncio.create_task(server.ask("cni", key="limited", max_tokens=40)) for _ in range(10)]
        await asyncio.sleep(0.1)
        server.engine.gate.set()
        statuses = sorted(answer.status_code for answer in await asyncio.gather(*running))
        assert statuses == [200] * 2 + [429] * 8


async def test_usage_is_counted_by_key_also_of_what_is_broken_off(tmp_path: Path, start: Any) -> None:
    async with start(keys_file=keys_of(tmp_path, one={}, two={})) as server:
        await server.ask("cni", key="one")
        server.engine.gate.clear()
        running = asyncio.create_task(server.ask("cni", key="two"))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.engine.gate.set()
        async with asyncio.timeout(5):
            while not counted(server, "key_requests_total", key="two"):
                await asyncio.sleep(0.01)
        assert counted(server, "key_tokens_total", key="one", direction="in") == 60
        assert counted(server, "key_tokens_total", key="one", direction="out") == 40
        assert counted(server, "key_tokens_total", key="one", direction="broken_off") == 0
        assert counted(server, "key_tokens_total", key="two", direction="broken_off") == 60


async def test_the_queue_has_an_end_and_a_time_limit(start: Any) -> None:
    async with start(max_num_seqs=1, max_sequences=2, max_queue=2, admission_seconds=0.3) as server:
        server.engine.gate.clear()
        running = [asyncio.create_task(server.ask("cni")) for _ in range(4)]
        await asyncio.sleep(0.1)
        full = await server.ask("cni")
        assert full.status_code == 503 and int(full.headers["retry-after"]) >= 1
        assert "queue is full" in full.json()["error"]["message"]
        await asyncio.sleep(0.4)
        server.engine.gate.set()
        statuses = sorted(answer.status_code for answer in await asyncio.gather(*running))
        assert statuses == [200, 200, 503, 503]
        queue = server.context.gate.admission.queue
        assert (queue.running, queue.waiting) == (0, 0)
        # A model that is not there is told so at once, however long the queue is.
        assert (await server.ask("nobody")).status_code == 404


async def test_a_steered_request_that_fails_does_not_count_against_a_revision(root: Path, start: Any) -> None:
    registry = Registry(root)
    second = registry.register("cni", write_adapter(root / ".incoming" / "b", seed=2))[0]
    async with start(split_min_requests=3) as server, server.client() as client:
        known = [one["revision"] for one in (await client.get("/v1/adapters/cni")).json()["revisions"]]
        first = next(name for name in known if name != second)
        await client.put("/v1/adapters/cni", json={"revision": first})
        await client.put("/v1/adapters/cni", json={"split": {first: 50, second: 50}})
        server.engine.fail = {f"cni@{second}"}
        for _ in range(6):
            assert (await server.ask(f"cni@{second}", logit_bias={"5": 1})).status_code == 500
        await asyncio.sleep(0.1)
        assert len(server.context.plane.catalogue.adapter("cni").weights) == 2
        for _ in range(6):
            await server.ask(f"cni@{second}")
        await asyncio.sleep(0.2)
        assert server.context.plane.catalogue.adapter("cni").weights == {first: 1.0}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8000"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
async def test_without_keys_no_web_page_gets_in(start: Any, headers: dict[str, str], status: int) -> None:
    async with start() as server, server.client() as client:
        for method, path in (("GET", "/v1/models"), ("GET", "/v1/adapters"), ("GET", "/metrics")):
            assert (await client.request(method, path, headers=headers)).status_code == status
        if status == 403:
            assert (await client.post("/v1/adapters/cni/rollback", headers=headers)).status_code == 403
        assert (await client.get("/health", headers=headers)).status_code == 200


async def test_with_keys_a_page_that_has_one_may_ask(tmp_path: Path, start: Any) -> None:
    async with start(keys_file=keys_of(tmp_path, one={})) as server, server.client("one") as client:
        headers = {"Host": "models.example", "Origin": "https://app.example"}
        assert (await client.get("/v1/models", headers=headers)).status_code == 200


async def test_head_answers_as_get_without_a_body(start: Any) -> None:
    async with start() as server, server.client() as client:
        for path in ("/health", "/ready", "/v1/models", "/v1/adapters/cni"):
            got, headed = await client.get(path), await client.head(path)
            assert headed.status_code == got.status_code == 200 and headed.content == b""
            assert headed.headers["content-length"] == got.headers["content-length"]
        gone = await client.head("/v1/models/nobody")
        assert gone.status_code == 404 and gone.content == b""
        assert (await client.head("/v1/completions")).status_code == 405


async def test_who_is_served_first_is_not_for_callers_to_say(start: Any) -> None:
    async with start() as server, server.client() as client:
        seen: list[bytes] = []
        inner = server.app.router

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            seen.extend(name for name, _ in scope["headers"])
            await inner(scope, receive, send)

        server.app.router = noting
        server.app.middleware_stack = None
        headers = {"X-Vllm-Priority": "9" * 25, "X-data-parallel-rank": "9" * 25, "X-Session-ID": "a"}
        answer = await client.get("/v1/models", headers=headers)
        server.app.router = inner
        assert answer.status_code == 200
        assert b"x-session-id" in seen and not {b"x-vllm-priority", b"x-data-parallel-rank"} & set(seen)
