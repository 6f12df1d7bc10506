"""`make cluster` as a person starts it, with a tiny base: two servers and the router for all tests here."""

import io
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.tiny_models import manifest_for, write_adapter, write_base

from .collector import Collector

ROOT = Path(__file__).resolve().parents[3]
COUNT = 2
_START_SECONDS = 600
# One adapter with three revisions, and others with one each, for the placement.
REVISIONS = (1, 2, 3)
OTHERS = ("bread", "cheese", "grapes", "figs")
# So many that they do not all meet on one of two servers by chance (once in two thousand runs).
PLACED = (*OTHERS, "leeks", "mint", "nuts", "olives", "pears", "rice", "salt", "tea")
PROMPT = {"answer": "lines", "line": "{text} {index}\n", "suffix": "", "documents": {}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e/cluster" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(2400))


@dataclass
class Cluster:
    """A running cluster. `router` and `servers` are addresses; `revisions` those of `cni`."""

    process: "subprocess.Popen[bytes]"
    output: Path
    router: str
    servers: list[str]
    base: str
    revisions: list[str]
    collector: Collector

    def said(self) -> str:
        """Everything it printed so far."""
        return self.output.read_text(errors="replace")

    def wait_for(self, pattern: str, times: int = 1, starts: int = 1) -> None:
        """Until `pattern` was printed so often, after so many starts of a server. Fails with all of it."""
        deadline = time.monotonic() + _START_SECONDS * starts
        while len(re.findall(pattern, self.said())) < times:
            assert self.process.poll() is None, f"make cluster ended before {pattern!r}:\n{self.said()}"
            assert time.monotonic() < deadline, (
                f"{pattern!r} did not come in {_START_SECONDS * starts} s:\n{self.said()}"
            )
            time.sleep(0.2)

    def pid(self, server: str) -> int:
        """Of the first process of a server, as printed last."""
        number = self.servers.index(server) + 1
        return int(re.findall(rf"server {number} .*pid (\d+)", self.said())[-1])


def _ports(count: int) -> int:
    """The first of so many neighbouring free ports."""
    for first in range(21000, 30000, 97):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    base = write_base(folder / "tiny-base")
    registry = folder / "adapters"
    registry.mkdir()
    for seed, name in enumerate(PLACED, 50):
        write_adapter(registry / name, seed=seed)
    collector = Collector()
    port = int(os.environ.get("CNI_CLUSTER_PORT") or _ports(COUNT + 2))
    environment = {
        "N": str(COUNT),
        "MODEL": str(base),
        "DEVICE": "cpu",
        "SERVER_PORT": str(port),
        "ADAPTERS_DIR": str(registry),
        # Greedy answers are compared letter by letter: in bfloat16 two tokens can be equally likely.
        "SERVER_DTYPE": "float32",
        "SERVER_MAX_MODEL_LEN": "1024",
        "SERVER_KV_CACHE_GIB": "1",
        "SERVER_MAX_CPU_LORAS": "16",
        "SERVER_LOG_FORMAT": "json",
        "SERVER_OTLP_ENDPOINT": collector.url,
    }
    output = folder / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cluster"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    servers = [f"http://127.0.0.1:{port + number}" for number in range(1, COUNT + 1)]
    running = Cluster(process, output, f"http://127.0.0.1:{port}", servers, base.name, [], collector)
    try:
        running.wait_for("Ctrl-C stops all")
        for seed in REVISIONS:
            made = write_adapter(folder / f"cni-{seed}", seed=seed, manifest=manifest_for(base, prompt=PROMPT))
            running.revisions.append(_register(servers[0], made))
        for server in servers:
            _knows(server, running.revisions)
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(120)
        collector.close()


def _register(server: str, folder: Path) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in folder.iterdir():
            archive.add(path, path.name)
    files = {"file": ("adapter.tgz", packed.getvalue())}
    answer = httpx.post(f"{server}/v1/adapters/cni/revisions", files=files, timeout=60)
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.json()["revision"])


def _knows(server: str, revisions: list[str]) -> None:
    """Until a server has seen in the folder what another one registered."""
    deadline = time.monotonic() + 60
    while missing := set(revisions) - _listed(server):
        assert time.monotonic() < deadline, f"{server} has not seen {missing}"
        time.sleep(0.2)


def _listed(server: str) -> set[str]:
    adapters = httpx.get(f"{server}/v1/adapters", timeout=60).json()["data"]
    return {revision["revision"] for adapter in adapters for revision in adapter["revisions"]}
