"""The front and the server together: a new revision whose answers are no JSON loses its share by itself."""

import asyncio
import json
import logging
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.registry.store import Registry
from ocr_frontend.api.app import create_app
from ocr_frontend.settings import Settings as FrontSettings
from server.auth.keys import Key, hash_secret
from server.auth.keys_edit import add_key
from tests.integration.front.fakes import CONTRACT, RECTO_ANSWER, RECTO_TEXT, FakeReader, picture
from tests.support.tiny_models import manifest_for, write_adapter


def registered(root: Path, base: Path) -> list[str]:
    """Two revisions with the front's own prompt; the first one serves."""
    documents = {name: {**one, "schema": {}} for name, one in CONTRACT["documents"].items()}
    registry, manifest = Registry(root), manifest_for(base, prompt={**CONTRACT, "documents": documents})
    made = [write_adapter(root / ".incoming" / str(seed), seed=seed, manifest=manifest) for seed in (1, 2)]
    return [registry.register("cni", folder)[0] for folder in made]


async def read_card(client: httpx.AsyncClient) -> httpx.Response:
    files = {"image": ("photo.jpg", picture(), "image/jpeg")}
    return await client.post("/v1/extract", files=files, data={"document": "cni-2018-recto"})


async def until_back(server: Any, client: httpx.AsyncClient, first: str) -> Counter[int]:
    """Cards until the first revision serves alone; how often each status was answered."""
    seen: Counter[int] = Counter()
    for _ in range(100):
        seen[(await read_card(client)).status_code] += 1
        await asyncio.sleep(0.01)  # the front's report goes beside its answer
        if server.context.plane.catalogue.adapter("cni").weights == {first: 1.0}:
            return seen
    raise AssertionError(f"the split was not rolled back: {seen}")


async def test_invalid_answers_end_a_split_and_everybody_can_see_why(
    root: Path, base_folder: Path, start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("server").propagate = True
    first, second = registered(root, base_folder)
    async with start(split_min_requests=3) as server, server.client() as admin:
        server.engine.texts = {f"cni@{first}": RECTO_ANSWER, f"cni@{second}": "Sure! Here is the card:"}
        http = httpx.AsyncClient(transport=server.transport, base_url="http://127.0.0.1")
        app = create_app(FrontSettings(ocr_workers=1), ocr=lambda: FakeReader(*RECTO_TEXT), http=http)
        async with app.router.lifespan_context(app):
            while not app.state.service.pool.ready:
                await asyncio.sleep(0.005)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
                assert (await read_card(client)).json()["model"] == f"cni@{first}"
                assert (await admin.put("/v1/adapters/cni", json={"split": {first: 50, second: 50}})).status_code == 200
                seen = await until_back(server, client, first)
                assert seen[502] >= 3 and set(seen) <= {200, 502}
                after = [await read_card(client) for _ in range(10)]
        assert {answer.json()["model"] for answer in after} == {f"cni@{first}"}

        text = (await admin.get("/metrics")).text
    who = f'adapter="cni",reason="automatic",revision="{second}"'
    assert 'cni_server_rollbacks_total{adapter="cni",reason="automatic"} 1.0' in text
    assert f"cni_server_revision_rollbacks_total{{{who}}} 1.0" in text
    assert f'cni_server_traffic_share{{adapter="cni",revision="{first}"}} 1.0' in text
    said = {record.getMessage() for record in caplog.records if record.name == "server.answers"}
    # Not 100 %: an answer counts as good until the front has reported it.
    assert len(said) == 1
    assert re.fullmatch(rf"cni@{second} fails \d+ % of its answers: the split is rolled back", said.pop())
    entry = json.loads((root / "audit.jsonl").read_text().splitlines()[-1])
    assert datetime.fromisoformat(entry.pop("time")).tzinfo is not None
    assert entry == {
        "who": "server", "action": "rollback", "adapter": "cni", "reason": "automatic", "weights": {first: 1.0},
        "result": "ok",
    }  # fmt: skip


class Router(httpx.AsyncBaseTransport):
    """What vllm-router does (tests/integration/deploy/test_router.py): a place is one server; reports by its key."""

    def __init__(self, *servers: Any) -> None:
        self.servers, self.invalid, self.told = servers, Counter[int](), Counter[int]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chosen = sum(request.headers.get("X-Session-ID", "").encode()) % len(self.servers)
        if request.url.path == "/v1/feedback":
            self.told[chosen] += 1
            request.headers["Authorization"] = "Bearer router"
        answer: httpx.Response = await self.servers[chosen].transport.handle_async_request(request)
        assert answer.status_code in {200, 204}
        self.invalid[chosen] += b"Sure!" in await answer.aread()
        return answer


async def test_behind_a_router_each_server_judges_its_own_answers(root: Path, base_folder: Path, start: Any) -> None:
    first, second = registered(root, base_folder)
    keys = root.parent / "keys.json"
    for name, scope in (("front", "inference"), ("router", "feedback")):
        add_key(keys, Key(id=name, sha256=hash_secret(name), scopes=frozenset({scope})))  # type: ignore[arg-type]
    settings = {"split_min_requests": 5, "keys_file": keys, "host": "0.0.0.0"}
    async with start(**settings) as one, start(**settings) as two:
        for server in (one, two):
            server.engine.texts = {f"cni@{first}": RECTO_ANSWER, f"cni@{second}": "Sure! Here is the card:"}
        router = Router(one, two)
        http = httpx.AsyncClient(transport=router, base_url="http://router", headers={"Authorization": "Bearer front"})
        app = create_app(FrontSettings(ocr_workers=1), ocr=lambda: FakeReader(*RECTO_TEXT), http=http)
        async with app.router.lifespan_context(app):
            while not app.state.service.pool.ready:
                await asyncio.sleep(0.005)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
                await one.context.admin.route("test", "cni", {first: 0.5, second: 0.5})
                seen = await until_back(one, client, first) + await until_back(two, client, first)
            while router.told.total() < seen[502]:
                await asyncio.sleep(0.005)
        assert router.told == router.invalid
