"""The real router with our command line before servers without a model: placement, kill, rolling restart, secrecy."""

import os
import random
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from deploy.cluster.plan import ClusterPlan, read_cluster_plan
from deploy.cluster.replicas import restart_each
from deploy.cluster.router import router_command
from deploy.up import environment
from deploy.up.services import Service, wait_ready
from tests.unit.deploy.names import shown_by_router

ROOT = Path(__file__).resolve().parents[3]
COUNT, SECONDS = 3, 0.1
SECRET = "NGO MBARGA MARIE"
ROUTER_KEY = "may-report"


@dataclass
class Fleet:
    """A router and the servers behind it."""

    plan: ClusterPlan
    servers: list[Service]
    router: Service
    answered: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def ask(self, key: str | None = None, **more: object) -> httpx.Response:
        headers = {} if key is None else {"X-Session-ID": key}
        body = {"model": "cni", "prompt": SECRET, "max_tokens": 4, **more}
        return httpx.post(f"{self.plan.up.server_url}/v1/completions", json=body, headers=headers, timeout=60)

    def load(self, over: threading.Event, seed: int) -> None:
        """Requests one after another until it is over, of as many models as reach every server."""
        rng = random.Random(seed)
        while not over.is_set():
            answer = self.ask(str(rng.randrange(24)))
            if answer.status_code == 200:
                self.answered.append(answer.json()["port"])
            else:
                self.failed.append(f"{answer.status_code} {answer.text}")


def _first_port() -> int:
    for first in range(31000, 39000, 101):
        try:
            for port in range(first, first + COUNT + 2):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fleet]:
    environment.make(ROOT, ROOT / ".venv-router", ROOT / "requirements/router.lock")
    monkeypatch.setenv("N", str(COUNT))
    monkeypatch.setenv("SERVER_PORT", str(_first_port()))
    plan = read_cluster_plan(ROOT)
    replica = str(Path(__file__).with_name("replica.py"))
    servers = [
        Service(f"server {n}", [sys.executable, replica, str(plan.port(n)), str(SECONDS)], tmp_path / f"{n}.log")
        for n in range(1, COUNT + 1)
    ]
    urls = [plan.url(number) for number in range(1, COUNT + 1)]
    binary = ROOT / ".venv-router/bin/vllm-router"
    router = Service(
        "router",
        router_command(binary, plan.router_port, plan.metrics_port, urls, ROUTER_KEY),
        tmp_path / "router.log",
    )
    try:
        for service in servers:
            service.start()
        for number, service in enumerate(servers, 1):
            wait_ready(service, f"{plan.url(number)}/ready", lambda _: None)
        router.start()
        wait_ready(router, f"{plan.up.server_url}/health", lambda _: None)
        yield Fleet(plan, servers, router)
    finally:
        for service in (router, *servers):
            service.stop()


def test_a_key_has_one_server_and_keys_are_spread(fleet: Fleet) -> None:
    homes = {key: {fleet.ask(key).json()["port"] for _ in range(4)} for key in map(str, range(12))}
    assert all(len(ports) == 1 for ports in homes.values())
    assert len(set().union(*homes.values())) == COUNT


def test_a_report_meets_the_server_that_answered_by_the_routers_own_key(fleet: Fleet) -> None:
    caller = {"Authorization": "Bearer of-the-caller"}
    for place in map(str, range(12)):
        headers = {"X-Session-ID": place, **caller}
        body = {"model": "cni", "prompt": SECRET}
        answered = httpx.post(f"{fleet.plan.up.server_url}/v1/completions", json=body, headers=headers, timeout=60)
        report = {"model": "cni@0", "outcome": "invalid_json"}
        told = httpx.post(f"{fleet.plan.up.server_url}/v1/feedback", json=report, headers=headers, timeout=60).json()
        assert (told["port"], told["sent"]) == (answered.json()["port"], report)
        # The router puts its own key in the caller's place, on routes that vLLM does not have and on no other.
        keys = [{k.lower(): v for k, v in one["headers"].items()}["authorization"] for one in (answered.json(), told)]
        assert keys == [caller["Authorization"], f"Bearer {ROUTER_KEY}"]
    without = fleet.ask("1").json()
    assert "authorization" not in {name.lower() for name in without["headers"]}
    # Other local users do not see the key among its arguments.
    assert fleet.router.process is not None
    assert ROUTER_KEY not in Path(f"/proc/{fleet.router.process.pid}/cmdline").read_text()


def test_what_the_router_does_not_know_passes_and_nothing_is_written_down(fleet: Fleet) -> None:
    sent = {"structured_outputs": {"regex": "[0-9]{3}"}, "logprobs": 0}
    answer = fleet.ask(None, **sent).json()
    assert sent.items() <= answer["sent"].items()
    traced = {"X-Session-ID": "cni", "X-Request-Id": "card-7", "traceparent": f"00-{'4' * 32}-{'7' * 16}-01"}
    body = {"model": "cni", "prompt": SECRET}
    answer = httpx.post(f"{fleet.plan.up.server_url}/v1/completions", json=body, headers=traced, timeout=60)
    assert {key.lower(): value for key, value in traced.items()}.items() <= {
        key.lower(): value for key, value in answer.json()["headers"].items()
    }.items()
    assert SECRET not in fleet.router.log.read_text(errors="replace")
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    foreign = httpx.options(f"{fleet.plan.up.server_url}/v1/completions", headers=asked)
    assert foreign.headers.get("access-control-allow-origin") not in {"*", asked["Origin"]}


def test_a_killed_server_costs_no_request_whose_answer_had_not_begun(fleet: Fleet) -> None:
    over = threading.Event()
    with ThreadPoolExecutor(6) as pool:
        for seed in range(6):
            pool.submit(fleet.load, over, seed)
        _until(lambda: len(fleet.answered) > 30)
        home = max(set(fleet.answered), key=fleet.answered.count)
        victim = fleet.servers[home - fleet.plan.router_port - 1]
        assert victim.process is not None
        os.killpg(victim.process.pid, signal.SIGKILL)
        before = len(fleet.answered)
        _until(lambda: len(fleet.answered) > before + 60)
        over.set()
    assert fleet.failed == []
    assert home not in fleet.answered[-6:]


def test_the_alerts_ask_for_what_the_router_shows(fleet: Fleet) -> None:
    first, *others = fleet.servers
    first.stop()
    page = f"http://127.0.0.1:{fleet.plan.metrics_port}/metrics"
    away = f'vllm_router_worker_health{{worker="{fleet.plan.url(1)}"}} 0'
    _until(lambda: away in httpx.get(page).text)
    for server in others:
        assert server.process is not None
        os.killpg(server.process.pid, signal.SIGKILL)
    assert fleet.ask("1").status_code == 503
    text = httpx.get(page).text
    assert shown_by_router() <= {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert re.search(r'vllm_router_cb_state_transitions_total\{worker="http://[^"]+",from="closed",to="open"\}', text)


def test_a_rolling_restart_costs_nothing(fleet: Fleet) -> None:
    over, said = threading.Event(), list[str]()
    pids = [service.process.pid for service in fleet.servers if service.process]
    with ThreadPoolExecutor(6) as pool:
        for seed in range(6):
            pool.submit(fleet.load, over, seed)
        try:
            restart_each(fleet.plan, fleet.servers, said.append)
            before = len(fleet.answered)
            _until(lambda: len(fleet.answered) > before + 30)
        finally:
            over.set()
    assert fleet.failed == []
    assert len(said) == 2 * COUNT
    assert not set(pids) & {service.process.pid for service in fleet.servers if service.process}
    assert set(fleet.answered) == {fleet.plan.port(number) for number in range(1, COUNT + 1)}


def _until(true: object) -> None:
    assert callable(true)
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
