"""A service's Prometheus page as numbers by name."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def by_labels(page: str, begins: str = "") -> dict[str, float]:
    """Every sample, by its name with its labels as the page writes them: `cni_server_slots{tier="memory"}`.

    `begins`: only those whose name does, which costs little beside what is measured.
    """
    if begins:
        page = "".join(line for line in page.splitlines(keepends=True) if line.startswith(begins))
    return {_key(sample): sample.value for sample in _samples(page)}


def sums(page: str) -> dict[str, float]:
    """The samples of one name together, whatever their labels."""
    found: dict[str, float] = {}
    for sample in _samples(page):
        found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def _samples(page: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(page) for sample in family.samples]


def _key(sample: Sample) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}}" if labels else sample.name
