"""What Prometheus and Grafana are started with: our rules and boards, the services as they listen here.

Written as JSON, which is YAML too: this runs before anything is installed.
"""

import json
from pathlib import Path
from typing import Any

SCRAPE_SECONDS = 5
_BOARDS = "deploy/grafana/dashboards"


def write_prometheus(root: Path, folder: Path, targets: dict[str, list[str]], own: str, key_file: str = "") -> Path:
    """`targets`: `host:port` by job; `own`: Prometheus' own; `key_file`: holds the server's metrics key, or empty."""
    jobs = [_job(name, addresses, key_file if name == "cni-server" else "") for name, addresses in targets.items()]
    configuration = {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": f"{SCRAPE_SECONDS}s"},
        "rule_files": [str(root / "deploy/prometheus/rules/*.yml")],
        "scrape_configs": [*jobs, _job("prometheus", [own], "")],
    }
    return _write(folder / "prometheus.yml", configuration)


def write_grafana(root: Path, folder: Path, prometheus: str) -> Path:
    """The provisioning folder: Prometheus as the one source, the boards of the checkout."""
    source = {
        "name": "Prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": prometheus,
        "isDefault": True,
        "jsonData": {"timeInterval": f"{SCRAPE_SECONDS}s"},
    }
    boards = {"name": "cni", "folder": "CNI", "type": "file", "options": {"path": str(root / _BOARDS)}}
    _write(folder / "datasources/prometheus.yml", {"apiVersion": 1, "datasources": [source]})
    _write(folder / "dashboards/cni.yml", {"apiVersion": 1, "providers": [boards]})
    return folder


def grafana_environment(root: Path, folder: Path, provisioning: Path, port: int) -> dict[str, str]:
    """Everybody on this machine may look; nothing is reported to anyone."""
    return {
        "GF_PATHS_PROVISIONING": str(provisioning),
        "GF_PATHS_DATA": str(folder / "data"),
        "GF_PATHS_LOGS": str(folder / "logs"),
        "GF_PATHS_PLUGINS": str(folder / "plugins"),
        "GF_SERVER_HTTP_ADDR": "127.0.0.1",
        "GF_SERVER_HTTP_PORT": str(port),
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(root / _BOARDS / "service.json"),
    }


def _job(name: str, addresses: list[str], key_file: str) -> dict[str, Any]:
    job: dict[str, Any] = {"job_name": name, "static_configs": [{"targets": addresses}]}
    if key_file:
        job["authorization"] = {"credentials_file": key_file}
    return job


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2))
    return path
