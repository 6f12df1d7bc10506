"""Metrics that are read when somebody asks: residency by tier, traffic shares, memory by process, KV cache."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from adapters.registry.catalogue import Catalogue, Revision
from server.control.engine import Slots
from server.control.residency import Residency
from server.labels import OTHER, WHO
from server.metrics import Metrics
from server.processes import process_metrics
from server.tiers import Tiers

_USAGE = "vllm:kv_cache_usage_perc"


@dataclass(eq=False)
class ServerCollector(Collector):
    """`kv_cache_bytes`: the cache's whole size, 0 where it is not known; `folder`: the registry's."""

    metrics: Metrics
    residency: Residency
    catalogue: Callable[[], Catalogue]
    tiers: Tiers
    kv_cache_bytes: int
    folder: Path
    registry: CollectorRegistry
    # What was in slots when the metrics route asked the engine; empty before.
    slots: Slots = field(default_factory=Slots)

    def collect(self) -> Iterator[Metric]:
        """All of them, as they are now."""
        yield from self._tiers()
        yield self._bytes()
        yield from self._volume()
        yield from self._counts()
        yield self._shares()
        yield from process_metrics()
        yield from self._kv_cache()

    def describe(self) -> list[Metric]:
        """Nothing ahead of time: registering must not collect."""
        return []

    def _tiers(self) -> Iterator[Metric]:
        count = GaugeMetricFamily("cni_server_adapters", "Adapters by tier", labels=["tier"])
        size = GaugeMetricFamily("cni_server_resident_bytes", "Bytes of adapters by tier", labels=["tier"])
        capacity = GaugeMetricFamily("cni_server_tier_capacity", "Adapters a tier can hold", labels=["tier"])
        resident = self.residency.resident()
        on_disk = [
            revision for adapter in self.catalogue().adapters.values() for revision in adapter.revisions.values()
        ]
        tiers = {
            "slots": (len(self.slots.names), self.tiers.slots * self.tiers.adapter_bytes),
            "memory": (len(resident), sum(revision.size for revision in resident)),
            "disk": (len(on_disk), sum(revision.size for revision in on_disk)),
        }
        for tier, (number, total) in tiers.items():
            count.add_metric([tier], number)
            size.add_metric([tier], total)
        capacity.add_metric(["slots"], self.tiers.slots)
        capacity.add_metric(["memory"], self.residency.capacity)
        room = GaugeMetricFamily(
            "cni_server_adapter_memory_limit_bytes", "Memory that adapters may take; 0: only their number counts"
        )
        room.add_metric([], self.residency.room.bytes)
        yield from (count, size, capacity, room)

    def _bytes(self) -> Metric:
        """By revision: a slot holds its weights padded to the server's rank, memory and disk as they are."""
        family = GaugeMetricFamily(
            "cni_server_revision_resident_bytes", "Bytes of a revision by tier", labels=[*WHO, "tier"]
        )
        resident = {revision.public_name: revision for revision in self.residency.resident()}
        tiers: dict[str, list[tuple[Revision, int]]] = {
            "slot": [(resident[name], self.tiers.adapter_bytes) for name in self.slots.names if name in resident],
            "memory": [(revision, revision.size) for revision in resident.values()],
            "disk": [
                (revision, revision.size)
                for adapter in self.catalogue().adapters.values()
                for revision in adapter.revisions.values()
            ],
        }
        for tier, parts in tiers.items():
            totals: dict[tuple[str, str], int] = {}
            for revision, size in parts:
                who = (revision.adapter, revision.revision)
                # Only those that have labels: a thousand that nobody asks would use them up.
                known = who if self.metrics.labels.has(*who) else (OTHER, OTHER)
                totals[known] = totals.get(known, 0) + size
            for known, total in totals.items():
                family.add_metric([*known, tier], total)
        return family

    def _volume(self) -> Iterator[Metric]:
        """Nothing where the folder cannot be asked, as while a share is away."""
        try:
            volume = shutil.disk_usage(self.folder)
        except OSError:
            return
        family = GaugeMetricFamily(
            "cni_server_registry_volume_bytes", "The volume that holds the registry", labels=["state"]
        )
        family.add_metric(["size"], volume.total)
        family.add_metric(["free"], volume.free)
        yield family

    def _counts(self) -> Iterator[Metric]:
        counts = self.metrics.revisions
        lookups = CounterMetricFamily("cni_server_adapter_lookups", "Found in memory or not", labels=["result"])
        lookups.add_metric(["hit"], counts.hits)
        lookups.add_metric(["miss"], counts.misses)
        yield lookups
        slots = CounterMetricFamily(
            "cni_server_slot_lookups", "Adapters of a step's batch: in a slot, or copied into one", labels=["result"]
        )
        slots.add_metric(["hit"], self.slots.hits)
        slots.add_metric(["miss"], self.slots.misses)
        yield slots
        for name, value in (
            ("loads", counts.total_loads),
            ("load_failures", counts.total_failures),
            ("evictions", counts.total_evictions),
        ):
            yield CounterMetricFamily(f"cni_server_adapter_{name}", f"Adapter {name.replace('_', ' ')}", value=value)

    def _shares(self) -> Metric:
        share = GaugeMetricFamily(
            "cni_server_traffic_share", "Share of an alias' traffic", labels=["adapter", "revision"]
        )
        for adapter in self.catalogue().adapters.values():
            total = sum(adapter.weights.values())
            for revision, weight in adapter.weights.items():
                # Of those that were asked: a thousand that were not would use up the labels.
                if self.metrics.labels.has(adapter.name, revision):
                    share.add_metric([adapter.name, revision], weight / total)
        return share

    def _kv_cache(self) -> Iterator[Metric]:
        usage = _kv_usage(self.registry)
        if self.kv_cache_bytes and usage is not None:
            cache = GaugeMetricFamily("cni_server_kv_cache_bytes", "KV cache", labels=["state"])
            cache.add_metric(["used"], usage * self.kv_cache_bytes)
            cache.add_metric(["free"], (1 - usage) * self.kv_cache_bytes)
            yield cache


def _kv_usage(registry: CollectorRegistry) -> float | None:
    """vLLM's own gauge, 0 to 1. Asked by name, so that this collector does not ask itself."""
    for metric in registry.restricted_registry([_USAGE]).collect():
        for sample in metric.samples:
            if sample.name == _USAGE:
                return float(sample.value)
    return None
