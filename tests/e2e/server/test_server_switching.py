"""Switches, splits and evictions under load: no error, and never an answer that mixes two revisions."""

import asyncio
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

import httpx

from tests.support.live_server import LiveServer
from tests.support.tiny_models import write_adapter

# A token is a byte here and a block of the prefix cache 128 of them: two blocks are shared by all, a third by some.
PROMPTS = [f"{'the lines of a card ' * 15}{'north ' if index % 2 else 'south '}{index}" for index in range(6)]
SWITCHES = 100
STREAMS = 16


def references(server: LiveServer, names: list[str]) -> dict[tuple[str, str], str]:
    """What each model says to each prompt when nothing else runs."""
    return {(n, p): server.complete(n, p)["choices"][0]["text"] for n in names for p in PROMPTS}


async def ask(client: httpx.AsyncClient, model: str, prompt: str, stream: bool, tokens: int = 8) -> tuple[str, str]:
    """The model that answered, and its text. Fails on anything but 200."""
    body = {"model": model, "prompt": prompt, "max_tokens": tokens, "temperature": 0, "stream": stream}
    if not stream:
        answer = await client.post("/v1/completions", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["model"], answer.json()["choices"][0]["text"]
    text, names = "", set()
    async with client.stream("POST", "/v1/completions", json=body) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                chunk = json.loads(line[6:])
                assert "error" not in chunk, chunk
                names.add(chunk["model"])
                text += "".join(choice["text"] for choice in chunk["choices"])
    assert len(names) == 1
    return names.pop(), text


async def test_100_switches_under_16_streams(server: LiveServer, revisions: list[str], record_property: Any) -> None:
    exact = [f"cni@{revision}" for revision in revisions]
    expected = references(server, ["tiny-base", "dropped", *exact])
    # What each switch is asked for: few tokens, so that a hundred switches do not take a minute.
    first = {name: server.complete(name, PROMPTS[0], max_tokens=2)["choices"][0]["text"] for name in exact}
    done = asyncio.Event()
    seen: dict[str, int] = {}
    rng = random.Random(0)

    async def stream(client: httpx.AsyncClient) -> None:
        while not done.is_set():
            asked, prompt = rng.choice(["tiny-base", "cni", "cni", "dropped", *exact]), rng.choice(PROMPTS)
            model, text = await ask(client, asked, prompt, stream=rng.random() < 0.5)
            assert model == asked or asked in {"cni", "dropped"}, (asked, model)
            key = "dropped" if asked == "dropped" else model
            assert text == expected[key, prompt], (asked, model, prompt)
            seen[model] = seen.get(model, 0) + 1

    started = time.perf_counter()
    async with server.asynchronous() as client, server.asynchronous("boss") as boss:
        streams = [asyncio.create_task(stream(client)) for _ in range(STREAMS)]
        try:
            for index in range(SWITCHES):
                target = revisions[index % 3]
                answer = await boss.put("/v1/adapters/cni", json={"revision": target})
                assert answer.status_code == 200, answer.text
                model, text = await ask(client, "cni", PROMPTS[0], stream=False, tokens=2)
                assert model == f"cni@{target}", "after the PUT's answer new requests get the new revision"
                assert text == first[model]
        finally:
            done.set()
            await asyncio.gather(*streams)
    assert set(exact) <= set(seen)
    record_property("answers", sum(seen.values()))
    record_property("seconds", round(time.perf_counter() - started, 1))


async def test_warm_switch_and_cold_load(server: LiveServer, revisions: list[str], record_property: Any) -> None:
    """From PUT to the first token of the new revision, beyond an ordinary request."""
    ordinary, switched = [], []
    async with server.asynchronous() as client, server.asynchronous("boss") as boss:
        for index in range(30):
            started = time.perf_counter()
            await first_token(client, "cni")
            ordinary.append(time.perf_counter() - started)
            started = time.perf_counter()
            assert (await boss.put("/v1/adapters/cni", json={"revision": revisions[index % 2]})).status_code == 200
            await first_token(client, "cni")
            switched.append(time.perf_counter() - started)
    extra = statistics.quantiles(switched, n=20)[-1] - statistics.median(ordinary)
    record_property("switch_p95_extra_ms", round(extra * 1000))
    print(f"warm switch: p95 {extra * 1000:.0f} ms beyond an ordinary request")
    # To reach: 0.25 s. The bound here leaves room for a machine that does something else as well.
    assert extra < 1.0


async def first_token(client: httpx.AsyncClient, model: str) -> None:
    body = {"model": model, "prompt": "x", "max_tokens": 2, "stream": True}
    async with client.stream("POST", "/v1/completions", json=body) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                return


async def test_a_split_under_load(server: LiveServer, revisions: list[str]) -> None:
    async with server.asynchronous() as client, server.asynchronous("boss") as boss:
        split = {"split": {revisions[0]: 50, revisions[1]: 50}}
        assert (await boss.put("/v1/adapters/cni", json=split)).status_code == 200
        answers = await asyncio.gather(*(ask(client, "cni", "x", False) for _ in range(60)))
        assert {model for model, _ in answers} == {f"cni@{revision}" for revision in revisions[:2]}
        assert (await boss.post("/v1/adapters/cni/rollback")).status_code == 200


async def test_more_adapters_than_places(server: LiveServer, tmp_path: Path) -> None:
    """30 adapters in 10 places of memory and 4 slots: all answer, each as itself, and the rest leaves."""
    for seed in range(30):
        write_adapter(tmp_path / f"many{seed}", seed=1000 + seed).rename(server.root / f"many{seed}")
    server.follow({f"many{seed}" for seed in range(30)})
    weights = [1 / (rank + 1) for rank in range(30)]
    rng = random.Random(1)
    picks = [f"many{index}" for index in rng.choices(range(30), weights, k=120)] + [f"many{i}" for i in range(30)]
    async with server.asynchronous() as client:
        limit = asyncio.Semaphore(STREAMS)

        async def one(name: str) -> tuple[str, str, str]:
            async with limit:
                return (name, *await ask(client, name, "x", False))

        answers = await asyncio.gather(*(one(name) for name in picks))
    texts: dict[str, set[str]] = {}
    for name, model, text in answers:
        assert model.startswith(f"{name}@")
        texts.setdefault(name, set()).add(text)
    assert all(len(found) == 1 for found in texts.values())
    with server.client("prometheus") as metrics:
        values = dict(line.rsplit(" ", 1) for line in metrics.get("/metrics").text.splitlines() if line[0] != "#")
    assert float(values['cni_server_adapters{tier="memory"}']) <= 10
    assert float(values["cni_server_adapter_evictions_total"]) >= 20
    series = [name for name in values if name.startswith("cni_server_requests_total{")]
    assert len(series) <= 21, "bounded by SERVER_MAX_METRIC_LABELS"


async def test_a_client_that_goes_away_gives_its_place_back(server: LiveServer, revisions: list[str]) -> None:
    async with server.asynchronous() as client:
        body = {"model": "cni", "prompt": "x", "max_tokens": 800, "stream": True, "ignore_eos": True}
        async with client.stream("POST", "/v1/completions", json=body) as answer:
            async for _ in answer.aiter_lines():
                break
    deadline = time.monotonic() + 10  # its 800 tokens would take as long again
    with server.client("boss") as boss:
        while any(revision["running"] for revision in boss.get("/v1/adapters/cni").json()["revisions"]):
            assert time.monotonic() < deadline, "it still runs"
            await asyncio.sleep(0.1)
    assert server.complete("cni")["choices"]
