"""`vllm:lora_requests_info`, by which LoRA-aware routers choose: left as vLLM writes it, but not without an end.

vLLM labels this gauge with the sets of adapters that run and wait; every new combination is a new series, for ever, and
the newest one, by its value, is the one that counts.
"""

from typing import Any

from prometheus_client import CollectorRegistry

_NAME = "vllm:lora_requests_info"
_KEPT = 32


def bound(registry: CollectorRegistry, kept: int = _KEPT) -> None:
    """Leave the newest series; the older ones are of moments that have passed."""
    # prometheus_client offers no way to look a metric up by its name.
    metric: Any = getattr(registry, "_names_to_collectors", {}).get(_NAME)
    if metric is None:
        return
    samples = [sample for family in metric.collect() for sample in family.samples]
    for old in sorted(samples, key=lambda sample: sample.value)[:-kept]:
        metric.remove_by_labels(old.labels)
