"""Keys, scopes, limits, sizes, closed routes, the drain, and what errors and metrics do not say."""

import asyncio
import io
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.registry.store import Registry
from server.auth.keys import Key, Limits, hash_secret
from server.auth.keys_edit import add_key
from server.routes.table import RULES
from tests.support.tiny_models import write_adapter

SECRET = "Marie-Claire NGO MBARGA 123456789"


def make_keys(path: Path, **keys: dict[str, Any]) -> Path:
    """Each key's secret is its id."""
    for name, options in keys.items():
        add_key(path, Key(id=name, sha256=hash_secret(name), **options))
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(
        tmp_path / "keys.json",
        front={"scopes": {"inference"}, "adapters": {"cni"}},
        boss={"scopes": {"admin"}},
        prometheus={"scopes": {"metrics"}},
        router={"scopes": {"feedback"}},
    )


@pytest.fixture
def two(root: Path) -> None:
    registry = Registry(root)
    registry.register("cni", write_adapter(root / ".incoming" / "a", seed=1))
    registry.register("other", write_adapter(root / ".incoming" / "b", seed=2))


async def test_every_route_takes_its_scope_and_no_other(keys: Path, two: None, start: Any) -> None:
    async with start(keys_file=keys) as server:
        for rule in RULES:
            path = rule.path.format(name="cni", revision="0", model="cni") if "{" in rule.path else rule.path
            for key in (None, "wrong", "front", "boss", "prometheus", "router"):
                async with server.client(key) as client:
                    status = (await client.request(rule.method, path, json={})).status_code
                scopes = {
                    "front": {"inference", "feedback"}, "boss": {"admin"}, "prometheus": {"metrics"},
                    "router": {"feedback"},
                }.get(key or "", set())  # fmt: skip
                expected = {403} if scopes else {401}
                if rule.access in {"open", *scopes}:
                    assert status not in {401, 403}, (rule, key)
                else:
                    assert status in expected, (rule, key, status)


async def test_routes_that_are_not_on_the_table_are_closed(start: Any) -> None:
    paths = [
        "/",
        "/docs",
        "/openapi.json",
        "/v1/load_lora_adapter",
        "/tokenize",
        "/v1/responses",
        "/ping",
        "/invocations",
    ]
    async with start() as server, server.client() as client:
        for path in paths:
            for method in ("GET", "POST", "OPTIONS"):
                answer = await client.request(method, path)
                assert answer.status_code == 404 and answer.json()["error"]["code"] == "no_such_route"
        assert (await client.get("/v1/completions")).status_code == 405


async def test_a_key_uses_only_its_adapters(keys: Path, two: None, start: Any) -> None:
    async with start(keys_file=keys) as server:
        assert (await server.ask("cni", key="front")).status_code == 200
        assert (await server.ask("tiny-base", key="front")).status_code == 200
        assert (await server.ask("other", key="front")).status_code == 403
        async with server.client("front") as client:
            names = [card["id"] for card in (await client.get("/v1/models")).json()["data"]]
        assert not any(name.startswith("other") for name in names)


async def test_wrong_model_and_wrong_key_are_told_in_openais_shape(keys: Path, two: None, start: Any) -> None:
    async with start(keys_file=keys) as server:
        unknown = (await server.ask("nobody", key="front")).json()["error"]
        assert unknown.keys() == {"message", "type", "param", "code"} and unknown["code"] == "model_not_found"
        wrong = await server.ask("cni", key="x")
        assert wrong.status_code == 401 and wrong.json()["error"]["code"] == "invalid_api_key"
        assert wrong.headers["www-authenticate"] == "Bearer"


async def test_limits(tmp_path: Path, two: None, start: Any) -> None:
    path = make_keys(
        tmp_path / "limited.json",
        rate={"scopes": {"inference"}, "limits": Limits(requests_per_second=2)},
        one={"scopes": {"inference"}, "limits": Limits(concurrency=1)},
        tokens={"scopes": {"inference"}, "limits": Limits(tokens_per_minute=150)},
    )
    async with start(keys_file=path) as server:
        statuses = [(await server.ask("cni", key="rate")).status_code for _ in range(4)]
        assert statuses[:2] == [200, 200] and statuses[-1] == 429
        server.engine.gate.clear()
        running = asyncio.create_task(server.ask("cni", key="one"))
        await asyncio.sleep(0.05)
        busy = await server.ask("cni", key="one")
        assert busy.status_code == 429 and int(busy.headers["retry-after"]) >= 1
        server.engine.gate.set()
        await running
        assert (await server.ask("cni", key="one")).status_code == 200
        # The fake answers with 100 tokens each.
        statuses = [(await server.ask("cni", key="tokens")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_sizes(two: None, start: Any) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b" " * (1 << 16)

    async with start(max_body_mib=1, max_upload_mib=1) as server, server.client() as client:
        headers = {"content-type": "application/json"}
        assert (await client.post("/v1/completions", content=b"{" + b" " * (2 << 20))).status_code == 413
        assert (await client.post("/v1/completions", content=endless(), headers=headers)).status_code == 413
        huge = {"file": ("a.tar", io.BytesIO(bytes(3 << 20)))}
        assert (await client.post("/v1/adapters/cni/revisions", files=huge)).status_code == 413


async def test_a_drain_refuses_new_work_and_waits_for_the_old(two: None, start: Any) -> None:
    async with start() as server:
        server.engine.gate.clear()
        running = asyncio.create_task(server.ask("cni"))
        await asyncio.sleep(0.05)
        draining = asyncio.create_task(server.context.gate.drained(5))
        await asyncio.sleep(0.05)
        refused = await server.ask("cni")
        assert refused.status_code == 503 and "retry-after" in refused.headers
        async with server.client() as client:
            assert (await client.get("/ready")).status_code == 503
            assert (await client.get("/health")).status_code == 200
        assert not draining.done()
        server.engine.gate.set()
        assert (await running).status_code == 200
        assert await draining is True


async def test_nothing_of_a_request_is_logged_measured_or_echoed(
    two: None, start: Any, caplog: pytest.LogCaptureFixture, root: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("server").propagate = True
    async with start() as server, server.client() as client:
        bodies: list[Any] = [
            {"model": "cni", "prompt": SECRET, "user": SECRET},
            {"model": "cni", "prompt": {"a": SECRET}},
            {"model": "cni", "prompt": "x", "temperature": SECRET},
            SECRET,
        ]
        for body in bodies:
            answer = await client.post("/v1/completions", json=body)
            if answer.status_code != 200:
                assert answer.json()["error"]["message"] and SECRET not in answer.text
        await client.post(
            "/v1/completions", content=("{" + SECRET).encode(), headers={"content-type": "application/json"}
        )
        await client.post("/v1/feedback", json={"model": "cni@0", "outcome": SECRET})
        metrics = (await client.get("/metrics")).text
    assert SECRET not in metrics
    assert SECRET not in caplog.text.replace("HTTP Request", "")
    audit = root / "audit.jsonl"
    assert not audit.exists() or SECRET not in audit.read_text()


async def test_an_unexpected_error_tells_nothing(two: None, start: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with start() as server:

        async def broken(model: str | None, user: str | None) -> None:
            raise RuntimeError(SECRET)

        server.context.plane.acquire = broken
        answer = await server.ask("cni")
        assert answer.status_code == 500 and SECRET not in answer.text and SECRET not in caplog.text
        async with server.client() as client:
            text = (await client.get("/metrics")).text
        assert 'cni_server_errors_total{adapter="none",kind="server",revision=""} 1.0' in text


async def test_metrics_have_bounded_labels(root: Path, start: Any) -> None:
    for seed in range(12):
        write_adapter(root / f"a{seed}", seed=seed)
    async with start(max_metric_labels=5) as server:
        for seed in range(12):
            assert (await server.ask(f"a{seed}")).status_code == 200
        async with server.client() as client:
            text = (await client.get("/metrics")).text
        series = [line for line in text.splitlines() if line.startswith("cni_server_requests_total{")]
        assert len(series) <= 6 and any('adapter="other"' in line for line in series)
        known: dict[str, set[tuple[str, str]]] = {}
        for name, labels in re.findall(r"(?m)^(cni_server_\w+)\{(.*)\} ", text):
            who = dict(re.findall(r'(adapter|revision)="(.*?)"', labels))
            known.setdefault(name, set()).add((who.get("adapter", ""), who.get("revision", "")))
        assert {name for name, whose in known.items() if len(whose) > 6} == set(), "a cap, then `other`"
        assert known["cni_server_revision_loads_total"] >= {("other", "other")}
        assert known["cni_server_revision_resident_bytes"] >= {("other", "other")}
        for name in (
            "resident_bytes",
            "adapter_lookups",
            "process_resident_memory_bytes",
            "traffic_share",
            "adapter_load_seconds",
        ):
            assert f"cni_server_{name}" in text
