"""What `make monitor` was asked for: which services to watch, where to listen."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.up.preflight import Refusal

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
    """From the environment that the Makefile sets. Raises Refusal where Prometheus is not installed."""
    given = os.environ
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        raise Refusal("prometheus is not installed: apt-get install prometheus, or put its binary into the PATH.")
    server_port, front_port = int(given.get("SERVER_PORT") or 8000), given.get("FRONT_PORT") or "8080"
    # Behind a router (make cluster N=3) the servers follow its port.
    count = int(given.get("N") or 0)
    ports = range(server_port + 1, server_port + 1 + count) if count else [server_port]
    targets = {"cni-server": [f"127.0.0.1:{port}" for port in ports], "cni-front": [f"127.0.0.1:{front_port}"]}
    if count:
        targets["vllm-router"] = [f"127.0.0.1:{server_port + count + 1}"]
    return MonitorPlan(
        root=root,
        targets=targets,
        port=int(given.get("PROMETHEUS_PORT") or 9090),
        grafana_port=int(given.get("GRAFANA_PORT") or 3000),
        prometheus=prometheus,
        grafana=shutil.which("grafana") or shutil.which("grafana-server"),
        grafana_home=given.get("GRAFANA_HOME") or _GRAFANA_HOME,
        key_file=given.get("METRICS_KEY_FILE") or "",
    )
