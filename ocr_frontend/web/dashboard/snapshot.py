"""Prometheus pages in, the few numbers of the dashboard out. Counters and buckets stay cumulative: rates and
percentiles are the page's, which sees two of these."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[str, list[tuple[dict[str, str], float]]]
_CARDS = ("/v1/extract", "/v1/extract-lines", "/v1/cards", "/upload")
_HISTOGRAMS = {
    "first_token": "cni_server_time_to_first_token_seconds",
    "per_token": "cni_server_time_per_output_token_seconds",
    "duration": "cni_server_request_duration_seconds",
}


def of_front(families: Iterable[Metric]) -> dict[str, Any]:
    """`requests` by status class and `stages` as histograms in seconds; memory in bytes."""
    samples = _samples(families)
    requests: dict[str, float] = {}
    for labels, value in samples.get("ocr_front_requests_total", []):
        if labels["route"] in _CARDS:
            requests[labels["status"]] = requests.get(labels["status"], 0) + value
    stages = sorted({labels["stage"] for labels, _ in samples.get("ocr_front_stage_duration_seconds_count", [])})
    return {
        "requests": requests,
        "stages": {name: _histogram(samples, "ocr_front_stage_duration_seconds", stage=name) for name in stages},
        "waiting": _sum(samples, "ocr_front_ocr_queue_depth"),
        "reading": _sum(samples, "ocr_front_ocr_running"),
        "memory": {"front": _sum(samples, "ocr_front_resident_memory_bytes")},
    }


def of_server(text: str) -> dict[str, Any]:
    """The same for the model server's page. Raises ValueError for what is no such page."""
    samples = _samples(text_string_to_metric_families(text))
    return {
        "running": _sum(samples, "vllm:num_requests_running"),
        "waiting": _sum(samples, "vllm:num_requests_waiting"),
        "kv_cache": _sum(samples, "vllm:kv_cache_usage_perc"),
        "memory": _by(samples, "cni_server_process_resident_memory_bytes", "process"),
        "tiers": {
            "count": _by(samples, "cni_server_adapters", "tier"),
            "capacity": _by(samples, "cni_server_tier_capacity", "tier"),
            "bytes": _by(samples, "cni_server_resident_bytes", "tier"),
        },
        "adapters": [_adapter(samples, who) for who in _revisions(samples)],
    }


def _revisions(samples: Samples) -> list[tuple[str, str]]:
    return sorted(
        {(labels["adapter"], labels["revision"]) for labels, _ in samples.get("cni_server_requests_total", [])}
    )


def _adapter(samples: Samples, who: tuple[str, str]) -> dict[str, Any]:
    labels = {"adapter": who[0], "revision": who[1]}
    shares = [value for found, value in samples.get("cni_server_traffic_share", []) if found == labels]
    return {
        **labels,
        "share": shares[0] if shares else None,
        "requests": _sum(samples, "cni_server_requests_total", **labels),
        "errors": _sum(samples, "cni_server_errors_total", **labels),
        "in_flight": _sum(samples, "cni_server_requests_in_flight", **labels),
        "tokens": _sum(samples, "cni_server_tokens_total", **labels),
        **{name: _histogram(samples, metric, **labels) for name, metric in _HISTOGRAMS.items()},
    }


def _samples(families: Iterable[Metric]) -> Samples:
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def _sum(samples: Samples, name: str, **wanted: str) -> float:
    return sum(value for labels, value in samples.get(name, []) if wanted.items() <= labels.items())


def _by(samples: Samples, name: str, label: str) -> dict[str, float]:
    return {labels[label]: value for labels, value in samples.get(name, [])}


def _histogram(samples: Samples, name: str, **wanted: str) -> dict[str, Any]:
    """`buckets`: upper bound in seconds (None: no bound) and how many were at most that."""
    buckets = [
        (None if labels["le"] == "+Inf" else float(labels["le"]), value)
        for labels, value in samples.get(f"{name}_bucket", [])
        if wanted.items() <= labels.items()
    ]
    return {"count": _sum(samples, f"{name}_count", **wanted), "buckets": buckets}
