"""A real Prometheus with our own rules, scraping both services."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.tools import need

ROOT = Path(__file__).resolve().parents[3]
_PROMETHEUS = ROOT / "deploy" / "prometheus"
_START_SECONDS = 60


@dataclass(frozen=True)
class Watched:
    """Where the two services and their Prometheus listen."""

    server: str
    front: str
    prometheus: str

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The instant vector of a query. Fails with Prometheus' own words."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": query}, timeout=60)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result


@pytest.fixture(scope="package")
def addresses(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Server and front: those of CNI_SERVER_URL and CNI_FRONT_URL where they are set, else `make up`'s."""
    if "CNI_SERVER_URL" in os.environ:
        return os.environ["CNI_SERVER_URL"], os.environ["CNI_FRONT_URL"]
    services = request.getfixturevalue("services")
    return services.server, services.front


@pytest.fixture(scope="package")
def watched(addresses: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Our configuration with these two targets, scraped every second."""
    binary = need("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(*addresses)))
    port = _free_port()
    listen, store = f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder / 'data'}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, f"--config.file={folder / 'prometheus.yml'}", store, listen], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, folder / "log")
        yield Watched(*addresses, url)
    finally:
        process.terminate()
        process.wait(30)


def _configuration(server: str, front: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_PROMETHEUS / "prometheus.yml").read_text())
    del loaded["alerting"]
    loaded["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    loaded["rule_files"] = [str(_PROMETHEUS / "rules" / "*.yml")]
    targets = {"cni-server": server, "cni-front": front}
    loaded["scrape_configs"] = [job for job in loaded["scrape_configs"] if job["job_name"] in targets]
    for job in loaded["scrape_configs"]:
        job.pop("authorization", None)  # on loopback without keys the page is open
        job["static_configs"] = [{"targets": [targets[job["job_name"]].removeprefix("http://")]}]
    return loaded


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/-/ready", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("prometheus did not become ready:\n" + log.read_text(errors="replace")[-2000:])
