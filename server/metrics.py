"""Our metrics: base units, names by Prometheus' conventions, labels bounded, on the registry that vLLM exports."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

OTHER = "other"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TOKEN_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1)
_LOAD_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_WHO = ("adapter", "revision")


class Labels:
    """Gives each revision labels of its own, until there are too many; then `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[tuple[str, str]] = set()

    def has(self, adapter: str, revision: str) -> bool:
        """Whether a revision has labels of its own already."""
        return (adapter, revision) in self._known

    def of(self, adapter: str, revision: str) -> tuple[str, str]:
        """The labels of a revision; the base has an empty one."""
        pair = (adapter, revision)
        if pair not in self._known:
            if len(self._known) >= self._most:
                return (OTHER, OTHER)
            self._known.add(pair)
        return pair


class Metrics:
    """All counters, gauges and histograms of the server. `most`: revisions with labels of their own."""

    def __init__(self, registry: CollectorRegistry, most: int) -> None:
        self.labels = Labels(most)
        r = registry
        self.requests = Counter("cni_server_requests", "Requests by answering revision", _WHO, registry=r)
        self.errors = Counter("cni_server_errors", "Failed requests by kind", (*_WHO, "kind"), registry=r)
        self.running = Gauge("cni_server_requests_in_flight", "Requests that are being answered", _WHO, registry=r)
        self.duration = _histogram("request_duration_seconds", "Arrival to last byte", _SECONDS, r)
        self.first_token = _histogram("time_to_first_token_seconds", "Engine's arrival to first token", _SECONDS, r)
        self.per_token = _histogram("time_per_output_token_seconds", "Between tokens, mean", _TOKEN_SECONDS, r)
        self.queue = _histogram("queue_seconds", "Waiting in the engine", _SECONDS, r)
        self.tokens = Counter("cni_server_tokens", "Tokens", (*_WHO, "direction"), registry=r)
        self.load = Histogram("cni_server_adapter_load_seconds", "Disk to engine", buckets=_LOAD_SECONDS, registry=r)
        self.switches = Counter("cni_server_switches", "Changes of what an alias means", ("adapter",), registry=r)
        self.rollbacks = Counter("cni_server_rollbacks", "Rollbacks", ("adapter", "reason"), registry=r)
        self.reported = Counter(
            "cni_server_reported_answers", "Answers judged by the front", (*_WHO, "outcome"), registry=r
        )
        self.refusals = Counter(
            "cni_server_refused_revisions", "Revisions refused at registration", ("check",), registry=r
        )

    def who(self, adapter: str | None, revision: str | None) -> tuple[str, str]:
        """Bounded labels; the base model is `base`."""
        return self.labels.of(adapter or "base", revision or "")

    def adapter(self, name: str) -> str:
        """An adapter's label alone, bounded as well."""
        return self.labels.of(name, "")[0]


def _histogram(name: str, text: str, buckets: tuple[float, ...], registry: CollectorRegistry) -> Histogram:
    return Histogram(f"cni_server_{name}", text, _WHO, buckets=buckets, registry=registry)
