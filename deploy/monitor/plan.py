"""What `make monitor` was asked for: which services to watch, where to listen."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.up.plan import Refusal, read_port

VARIABLES = {
    "SERVER_PORT": "of the model server that is watched, 8000; with N of the router",
    "FRONT_PORT": "of the OCR front that is watched, 8080",
    "N": "number of servers behind the router of `make cluster`; by default there is none",
    "PROMETHEUS_PORT": "where Prometheus listens, 9090",
    "GRAFANA_PORT": "where Grafana listens, 3000",
    "GRAFANA_HOME": "where Grafana's own files are, /usr/share/grafana",
    "METRICS_KEY_FILE": "a file that holds the model server's metrics key, where it has one",
}
# Debian's place; elsewhere GRAFANA_HOME names it.
_GRAFANA_HOME = "/usr/share/grafana"


@dataclass(frozen=True)
class MonitorPlan:
    """`targets`: `host:port` by Prometheus' job; `grafana`: the binary, None where there is none."""

    root: Path
    targets: dict[str, list[str]]
    port: int
    grafana_port: int
    prometheus: str
    grafana: str | None
    grafana_home: str
    key_file: str

    @property
    def url(self) -> str:
        """Where Prometheus listens."""
        return f"http://127.0.0.1:{self.port}"


def read_monitor_plan(root: Path) -> MonitorPlan:
    """From the environment that the Makefile sets. Raises Refusal: no Prometheus, or a value without sense."""
    given = os.environ
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        raise Refusal("prometheus is not installed: apt-get install prometheus, or put its binary into the PATH.")
    server_port, front_port = read_port("SERVER_PORT", 8000), read_port("FRONT_PORT", 8080)
    # Behind a router (make cluster N=3) the servers follow its port.
    servers = given.get("N") or "0"
    if not (servers.isascii() and servers.isdigit()):
        raise Refusal(f"N={servers} is not a number of servers: make monitor N=3")
    count = int(servers)
    ports = range(server_port + 1, server_port + 1 + count) if count else [server_port]
    targets = {"cni-server": [f"127.0.0.1:{port}" for port in ports], "cni-front": [f"127.0.0.1:{front_port}"]}
    if count:
        targets["vllm-router"] = [f"127.0.0.1:{server_port + count + 1}"]
    return MonitorPlan(
        root=root,
        targets=targets,
        port=read_port("PROMETHEUS_PORT", 9090),
        grafana_port=read_port("GRAFANA_PORT", 3000),
        prometheus=prometheus,
        grafana=shutil.which("grafana") or shutil.which("grafana-server"),
        grafana_home=given.get("GRAFANA_HOME") or _GRAFANA_HOME,
        key_file=given.get("METRICS_KEY_FILE") or "",
    )
