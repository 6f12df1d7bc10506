"""`make monitor`: Prometheus takes what it writes, it prints its address, and it leaves nothing."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.monitor.configuration import write_grafana, write_prometheus
from deploy.monitor.plan import read_monitor_plan
from deploy.up.plan import Refusal
from tests.support.tools import need

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_prometheus_takes_the_configuration(tmp_path: Path) -> None:
    targets = {"cni-server": ["127.0.0.1:8000"], "cni-front": ["127.0.0.1:8080"]}
    (tmp_path / "key").write_text("secret")
    written = write_prometheus(ROOT, tmp_path, targets, "127.0.0.1:9090", str(tmp_path / "key"))
    check = [need("promtool"), "check", "config", str(written)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = json.loads(written.read_text())["scrape_configs"]
    assert [bool(job.get("authorization")) for job in jobs] == [True, False, False], "the key goes to the server alone"


def test_grafana_finds_our_boards_and_this_prometheus(tmp_path: Path) -> None:
    write_grafana(ROOT, tmp_path, "http://127.0.0.1:9190")
    source = json.loads((tmp_path / "datasources/prometheus.yml").read_text())["datasources"][0]
    assert source["url"] == "http://127.0.0.1:9190"
    provider = json.loads((tmp_path / "dashboards/cni.yml").read_text())["providers"][0]
    assert len(list(Path(provider["options"]["path"]).glob("*.json"))) == 3


def test_a_cluster_is_watched_server_by_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "2")
    monkeypatch.setenv("SERVER_PORT", "8330")
    targets = read_monitor_plan(ROOT).targets
    assert targets["cni-server"] == ["127.0.0.1:8331", "127.0.0.1:8332"]
    assert targets["vllm-router"] == ["127.0.0.1:8333"]


def test_without_prometheus_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refusal, match="apt-get install prometheus"):
        read_monitor_plan(ROOT)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"ocr_front_ready 1\n")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def page() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def _links_lead_to_pages(prometheus: str) -> None:
    """Every alert's link, as Prometheus would send it, and every page in either language."""
    deadline = time.monotonic() + 60
    while True:
        with urllib.request.urlopen(f"{prometheus}/api/v1/alerts") as answer:
            links = [one["annotations"]["runbook_url"] for one in json.load(answer)["data"]["alerts"]]
        if links:
            break
        assert time.monotonic() < deadline, "not even the watchdog barks"
        time.sleep(0.5)
    assert f"{prometheus}/consoles/Watchdog.md" in links
    pages = sorted((ROOT / "docs/runbooks").glob("*.md"))
    assert {link.rpartition("/")[2] for link in links} <= {page.name for page in pages}
    for page in pages:
        with urllib.request.urlopen(f"{prometheus}/consoles/{page.name}") as answer:
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.read().decode() == page.read_text("utf-8"), f"{page.name}: a `<` comes out as `&lt;`"


def test_it_scrapes_and_leaves_nothing(page: int, tmp_path: Path) -> None:
    need("prometheus")
    environment = {
        "SERVER_PORT": str(page),
        "FRONT_PORT": str(page),
        "PROMETHEUS_PORT": os.environ.get("CNI_PROMETHEUS_PORT") or str(free_port()),
        "GRAFANA_PORT": str(free_port()),
        "TMPDIR": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.monitor"],
        cwd=ROOT,
        env={**os.environ, **environment, "N": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        shown = ""
        while "Ctrl-C ends it" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        found = re.search(r"(http://127.0.0.1:\d+)/targets", shown)
        assert found, shown
        deadline = time.monotonic() + 60
        while True:
            with urllib.request.urlopen(f"{found[1]}/api/v1/query?query=ocr_front_ready") as answer:
                series = json.load(answer)["data"]["result"]
            if {one["metric"]["job"] for one in series} == {"cni-server", "cni-front"}:
                break
            assert time.monotonic() < deadline, series
            time.sleep(0.5)
        with urllib.request.urlopen(f"{found[1]}/api/v1/rules") as answer:
            assert len(json.load(answer)["data"]["groups"]) > 3
        _links_lead_to_pages(found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert list(tmp_path.iterdir()) == []
