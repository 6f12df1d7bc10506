"""Two servers behind the router under load: placement, a switch, a kill, a rolling restart; zero wrong answers."""

import asyncio
import contextlib
import os
import re
import signal
import time

import httpx
import psutil
import pytest

from .conftest import COUNT, OTHERS, PLACED, Cluster
from .load import PROMPTS, Load, ask, references

Expected = dict[tuple[str, str], str]


@pytest.fixture(scope="package")
async def expected(cluster: Cluster) -> Expected:
    found = await references(cluster)
    texts = {text for (name, prompt), text in found.items() if prompt == PROMPTS[0]}
    assert len(texts) == len(found) // len(PROMPTS), "each model must have its own words, or nothing is proven"
    return found


async def test_a_models_requests_meet_on_one_server(cluster: Cluster, expected: Expected) -> None:
    """Where its adapter is resident; and the models do not all meet on the same one."""
    async with httpx.AsyncClient(base_url=cluster.router, timeout=120) as client:
        homes = {}
        for name in PLACED:
            before = [_answers(server, name) for server in cluster.servers]
            for prompt in PROMPTS:
                await ask(client, name, prompt, stream=False)
            more = [_answers(server, name) - old for server, old in zip(cluster.servers, before, strict=True)]
            assert sorted(more) == [0] * (COUNT - 1) + [len(PROMPTS)], (name, more)
            homes[name] = more.index(len(PROMPTS))
    assert len(set(homes.values())) > 1, homes


async def test_the_router_passes_on_what_a_card_needs(cluster: Cluster, expected: Expected) -> None:
    """A grammar, log-probabilities and a digest of the prompt: fields and headers that are not OpenAI's own."""
    body = {"model": "cni", "prompt": PROMPTS[0], "max_tokens": 8, "temperature": 0, "logprobs": 1}
    async with httpx.AsyncClient(base_url=cluster.router, timeout=120) as client:
        grammar = {"structured_outputs": {"regex": "[0-9]{3}"}}
        answer = await client.post("/v1/completions", json={**body, **grammar}, headers={"X-Session-ID": "cni"})
        assert re.fullmatch("[0-9]{3}", answer.json()["choices"][0]["text"]), answer.text
        assert answer.json()["choices"][0]["logprobs"]["token_logprobs"]
        wrong = {"X-Session-ID": "cni", "X-Prompt-SHA256": "0" * 64}
        assert (await client.post("/v1/completions", json=body, headers=wrong)).status_code == 409
        listed = {entry["id"] for entry in (await client.get("/v1/models")).json()["data"]}
        assert {"cni", *OTHERS, cluster.base} <= listed


async def test_an_alias_switched_once_is_switched_everywhere(cluster: Cluster, expected: Expected) -> None:
    async with Load(cluster, expected) as load, httpx.AsyncClient(timeout=120) as client:
        for number, revision in enumerate([*cluster.revisions[1:], cluster.revisions[0]]):
            changed = cluster.servers[number % COUNT]
            answer = await client.put(f"{changed}/v1/adapters/cni", json={"revision": revision})
            assert answer.status_code == 200, answer.text
            for server in cluster.servers:
                await _until_alias_means(server, f"cni@{revision}")
            await load.more(20)
        answer = await client.post(f"{cluster.servers[0]}/v1/adapters/cni/rollback")
        assert answer.status_code == 200, answer.text
        for server in cluster.servers:
            await _until_alias_means(server, f"cni@{cluster.revisions[-1]}")
        await load.more(20)
    assert load.failed == []
    assert {outcome.answered for outcome in load.outcomes} == {name for name, _ in expected}


async def test_a_killed_server_costs_its_running_requests_only(cluster: Cluster, expected: Expected) -> None:
    async with Load(cluster, expected) as load:
        await load.more(20)
        victim = max(cluster.servers, key=lambda server: _answers(server, "cni"))
        again = len(re.findall("is ready again", cluster.said()))
        killed = time.monotonic()
        os.killpg(cluster.pid(victim), signal.SIGKILL)
        gone = time.monotonic()
        await load.more(60)
        load.pause = 1.0  # a server that starts needs the cores too
        await asyncio.to_thread(cluster.wait_for, "is ready again", again + 1)
        load.pause = 0.0
        await load.more(20)
    later = [outcome for outcome in load.failed if outcome.began > gone or outcome.ended < killed]
    assert later == [], "only what ran at that moment may be lost"
    assert len(load.failed) <= load.at_once
    served = {outcome.asked for outcome in load.outcomes if outcome.began > gone and not outcome.failure}
    assert {"cni", cluster.base, *OTHERS} <= served


async def test_a_rolling_restart_costs_nothing(cluster: Cluster, expected: Expected) -> None:
    before = [cluster.pid(server) for server in cluster.servers]
    async with Load(cluster, expected, at_once=3) as load:
        await load.more(10)
        load.pause = 1.0  # a server that starts needs the cores too
        cluster.process.send_signal(signal.SIGUSR1)
        await asyncio.to_thread(cluster.wait_for, "every server was restarted", starts=COUNT)
        load.pause = 0.0
        await load.more(20)
    assert load.failed == []
    assert len(load.outcomes) > 30
    assert not set(before) & {cluster.pid(server) for server in cluster.servers}


async def test_ctrl_c_leaves_nothing(cluster: Cluster, expected: Expected) -> None:
    pids = [cluster.pid(server) for server in cluster.servers]
    cluster.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(cluster.process.wait, 120) == 0, cluster.said()
    assert _living(set(pids)) == []


def _living(groups: set[int]) -> list[psutil.Process]:
    """Processes of these groups; those that have ended and only wait to be asked for do not count."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) in groups and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


async def _until_alias_means(server: str, model: str) -> None:
    deadline = time.monotonic() + 15  # the folder is looked at every second
    async with httpx.AsyncClient(base_url=server, timeout=120) as client:
        while (found := (await ask(client, "cni", PROMPTS[0], stream=False))[0]) != model:
            assert time.monotonic() < deadline, f"{server} still answers as {found}"
            await asyncio.sleep(0.2)


def _answers(server: str, adapter: str) -> float:
    """Requests that a server has counted for an adapter."""
    lines = httpx.get(f"{server}/metrics", timeout=30).text.splitlines()
    wanted = f'cni_server_requests_total{{adapter="{adapter}"'
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(wanted))
