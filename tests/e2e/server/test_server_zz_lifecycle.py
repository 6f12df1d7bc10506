"""The end of the shared server, so last by name: what it says, what it remembers, how it stops. One more start."""

import contextlib
import os
import signal
import sys
import threading
import time
from typing import Any

import httpx
import psutil

from tests.support.live_server import LiveServer

SECRET = "NGO MBARGA MARIE"


def test_nothing_of_a_request_is_in_log_metrics_or_audit(server: LiveServer, revisions: list[str]) -> None:
    server.complete("cni", SECRET, user=SECRET)
    with server.client() as client:
        client.post("/v1/completions", json={"model": "cni", "prompt": {"a": SECRET}})
        client.post("/v1/completions", json={"model": "cni", "prompt": SECRET, "max_tokens": 10**6})
        client.post("/v1/chat/completions", json={"model": "cni", "messages": [{"role": SECRET, "content": SECRET}]})
    with server.client("prometheus") as client:
        metrics = client.get("/metrics").text
    for name in (
        "vllm:kv_cache_usage_perc",
        'process="engine"',
        "cni_server_kv_cache_bytes",
    ):
        assert name in metrics
    # The engine's client is ours: what it measured is not zero, as it was at the start.
    counted = [line for line in metrics.splitlines() if line.startswith("cni_server_queue_seconds_count")]
    assert sum(float(line.split()[-1]) for line in counted) >= 1
    assert SECRET not in metrics
    assert SECRET not in server.log.read_text(errors="replace")
    assert SECRET not in (server.root / "audit.jsonl").read_text()


def test_after_a_kill_the_acknowledged_state_serves(server: LiveServer, revisions: list[str]) -> None:
    with server.client("boss") as boss:
        for revision in (revisions[2], revisions[1]):
            assert boss.put("/v1/adapters/cni", json={"revision": revision}).status_code == 200
    server.kill()
    try:
        httpx.get(f"{server.url}/health", timeout=2)
        raise AssertionError("it is still there")
    except httpx.HTTPError:
        pass
    server.start()
    assert server.complete("cni")["model"] == f"cni@{revisions[1]}"
    with server.client("boss") as boss:
        assert boss.post("/v1/adapters/cni/rollback").json()["weights"] == {revisions[2]: 1.0}
    assert server.complete("cni")["model"] == f"cni@{revisions[2]}"


def test_sigterm_lets_running_streams_finish_and_takes_no_new_work(server: LiveServer, revisions: list[str]) -> None:
    result: dict[str, Any] = {}
    began = threading.Event()

    def stream() -> None:
        body = {"model": "cni", "prompt": "x", "max_tokens": 600, "ignore_eos": True, "stream": True}
        with server.client() as client, client.stream("POST", "/v1/completions", json=body) as answer:
            lines = []
            for line in answer.iter_lines():
                began.set()
                lines.append(line)
        result["lines"] = [line for line in lines if line]

    thread = threading.Thread(target=stream)
    thread.start()
    assert began.wait(60)
    server.terminate()
    refused = None
    while thread.is_alive() and refused is None:
        with server.client() as client:
            answer = client.post("/v1/completions", json={"model": "cni", "prompt": "x", "max_tokens": 1})
        refused = answer if answer.status_code == 503 else None
        time.sleep(0.02)
    thread.join(120)
    assert result["lines"][-1] == "data: [DONE]" and len(result["lines"]) > 10
    assert refused is not None and "retry-after" in refused.headers
    assert server.wait(60) == 0


def test_a_start_that_is_interrupted_ends_with_all_that_it_began(server: LiveServer) -> None:
    """In the seconds in which the first process waits for the engine's: vLLM's own handler is swallowed there."""
    with server.log.open("ab") as log:
        process = psutil.Popen(
            [sys.executable, "-m", "server"],
            env={**os.environ, **server.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + 120
    while not any("spawn_main" in " ".join(child.cmdline()) for child in process.children()):
        assert process.is_running() and time.monotonic() < deadline, "no engine was started"
        time.sleep(0.1)
    time.sleep(1)  # it waits for the engine now, which takes many seconds
    begun = process.children(recursive=True)
    process.terminate()
    try:
        assert process.wait(60) == 128 + signal.SIGTERM
        assert not psutil.wait_procs(begun, timeout=30)[1]
    finally:
        for left in (process, *begun):
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
