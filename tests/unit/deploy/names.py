"""Which metrics our rules and boards ask for, and which the running services show."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "deploy" / "prometheus" / "rules"
BOARDS = ROOT / "deploy" / "grafana" / "dashboards"
_METRIC = re.compile(
    r"\b(?:cni_server|ocr_front|vllm_router|alertmanager|kubelet|kube|process|vllm:|cni:)[a-zA-Z0-9_:]+"
)
_SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


def queries() -> Iterator[tuple[str, str]]:
    """Where (board / panel), and every query of every board, with Grafana's variables filled in."""
    for file in sorted(BOARDS.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", ()):
                yield f"{file.stem} / {panel['title']}", plain(target["expr"])


def plain(query: str) -> str:
    """A query as Prometheus takes it: all instances, adapters and revisions, a window of five minutes."""
    return re.sub(r"\$(instance|adapter|revision)\b", ".*", query.replace("$__rate_interval", "5m"))


def rules() -> list[dict[str, Any]]:
    """Every recording rule and alert."""
    groups = [group for file in sorted(RULES.glob("*.yml")) for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def asked(query: str) -> set[str]:
    """Metric families in a query, without a histogram's suffixes, grouping labels or strings."""
    bare = re.sub(r'"[^"]*"', "", query)
    return {_SUFFIX.sub("", name) for name in _METRIC.findall(bare)}


def shown() -> set[str]:
    """Families of both services' real /metrics, recorded by tests/e2e/monitoring."""
    return set((Path(__file__).with_name("metric_names.txt")).read_text().split())


def shown_by_router() -> set[str]:
    """Families of the real router's /metrics, compared with it by tests/integration/deploy/test_router.py."""
    return set((Path(__file__).with_name("router_metric_names.txt")).read_text().split())


def shown_by_cluster() -> set[str]:
    """Of kube-state-metrics and Alertmanager, by their documentation: neither is here to ask."""
    return set((Path(__file__).with_name("cluster_metric_names.txt")).read_text().split())


def declared(name: str) -> bool:
    """Whether the services' sources still name our metric: whole, or without the prefix that is put before it."""
    bare = name.removesuffix("_total")
    ends = [bare, *(bare.removeprefix(prefix) for prefix in ("cni_server_", "cni_server_adapter_", "ocr_front_"))]
    return any(f'"{end}"' in _sources() for end in ends)


@functools.cache
def _sources() -> str:
    files = (*(ROOT / "server").rglob("*.py"), *(ROOT / "ocr_frontend").rglob("*.py"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
