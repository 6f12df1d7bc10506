"""Our metrics: base units, names by Prometheus' conventions, labels bounded, on the registry that vLLM exports."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from server.admission.account import Usage
from server.labels import WHO, Labels, Pair
from server.revision_metrics import ROLLBACKS, RevisionMetrics

# How a request can fail: the caller's fault, the server's, a stream that broke after its 200, a caller who went away.
KINDS = ("client", "server", "stream", "disconnected")
CANARY_EVENTS = ("begun", "advanced", "completed", "rolled_back")
LORA_LABELS = ("wrapper", "kernel", "step", "form")
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TOKEN_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1)


class Metrics:
    """All counters, gauges and histograms of the server. `most`: revisions with labels of their own."""

    def __init__(self, registry: CollectorRegistry, most: int) -> None:
        self.labels = Labels(most, self._forget)
        self._names = Labels(most, self._forget_name)
        self.revisions = RevisionMetrics(self.labels, registry)
        r = registry
        self.requests = Counter("cni_server_requests", "Requests by answering revision", WHO, registry=r)
        self.errors = Counter("cni_server_errors", "Failed requests by kind", (*WHO, "kind"), registry=r)
        self.running = Gauge("cni_server_requests_in_flight", "Requests that are being answered", WHO, registry=r)
        self.duration = _histogram("request_duration_seconds", "Arrival to last byte", _SECONDS, r)
        self.first_token = _histogram("time_to_first_token_seconds", "Engine's arrival to first token", _SECONDS, r)
        self.per_token = _histogram("time_per_output_token_seconds", "Between tokens, mean", _TOKEN_SECONDS, r)
        self.queue = _histogram("queue_seconds", "Waiting in the engine", _SECONDS, r)
        self.tokens = Counter("cni_server_tokens", "Tokens", (*WHO, "direction"), registry=r)
        self.switches = Counter("cni_server_switches", "Changes of what an alias means", ("adapter",), registry=r)
        self.rollbacks = Counter("cni_server_rollbacks", "Rollbacks", ("adapter", "reason"), registry=r)
        self.canaries = Counter("cni_server_canaries", "Steps of canaries", ("adapter", "event"), registry=r)
        self.reported = Counter(
            "cni_server_reported_answers", "Answers judged by the front", (*WHO, "outcome"), registry=r
        )
        self.refusals = Counter(
            "cni_server_refused_revisions", "Revisions refused at registration", ("check",), registry=r
        )

        self.key_requests = Counter("cni_server_key_requests", "Requests that ran, by key", ("key",), registry=r)
        self.key_tokens = Counter(
            "cni_server_key_tokens", "Tokens by key; broken_off: of answers that did not end", ("key", "direction"),
            registry=r,
        )  # fmt: skip
        self.lora = Gauge(
            "cni_server_lora_info", "What computes LoRA: wrapper, kernel, step, base's form", LORA_LABELS, registry=r
        )

    def begin(self, adapter: str | None, revision: str | None) -> None:
        """Let the base's (None) or a revision's counters exist at zero."""
        who = self.who(adapter, revision)
        for metric in (self.requests, self.running, self.duration, self.first_token, self.per_token, self.queue):
            metric.labels(*who)
        for kind in KINDS:
            self.errors.labels(*who, kind)
        for direction in ("in", "out"):
            self.tokens.labels(*who, direction)
        if adapter is None:
            return
        for outcome in ("valid", "invalid_json"):
            self.reported.labels(*who, outcome)
        self.revisions.begin(who)
        self.switches.labels(self.adapter(adapter))
        for event in CANARY_EVENTS:
            self.canaries.labels(self.adapter(adapter), event)
        for reason in ROLLBACKS:
            self.rollbacks.labels(self.adapter(adapter), reason)

    def begin_request(self, adapter: str | None, revision: str | None) -> Pair:
        """A request for a revision runs; its labels, which stay until `end_request`."""
        who = self.who(adapter, revision)
        self.labels.hold(who)
        self.requests.labels(*who).inc()
        self.running.labels(*who).inc()
        return who

    def end_request(self, who: Pair) -> None:
        """It is over."""
        self.running.labels(*who).dec()
        self.labels.let_go(who)

    def _forget(self, who: Pair) -> None:
        by_revision = (self.requests, self.errors, self.running, self.duration, self.first_token, self.per_token)
        for metric in (*by_revision, self.queue, self.tokens, self.reported, *self.revisions.by_revision):
            metric.remove_by_labels(dict(zip(WHO, who, strict=True)))

    def _forget_name(self, name: Pair) -> None:
        for metric in (self.switches, self.rollbacks, self.canaries):
            metric.remove_by_labels({"adapter": name[0]})

    def used(self, key: str, usage: Usage) -> None:
        """What a request cost its key, by the key's id."""
        self.key_requests.labels(key).inc()
        directions = {
            "in": usage.prompt,
            "out": usage.generated,
            "cached": usage.cached,
            "broken_off": usage.broken_off,
        }
        for direction, tokens in directions.items():
            self.key_tokens.labels(key, direction).inc(tokens)

    def switched(self, adapter: str, revisions: Iterable[str]) -> None:
        """An alias means these now, by this server's doing."""
        self.switches.labels(self.adapter(adapter)).inc()
        for revision in revisions:
            self.revisions.switches.labels(*self.who(adapter, revision)).inc()

    def canary(self, adapter: str, event: str) -> None:
        """`event`: one of CANARY_EVENTS."""
        self.canaries.labels(self.adapter(adapter), event).inc()

    def rolled_back(self, adapter: str, left: Iterable[str], reason: str) -> None:
        """An alias means these no longer."""
        self.rollbacks.labels(self.adapter(adapter), reason).inc()
        for revision in left:
            self.revisions.rollbacks.labels(*self.who(adapter, revision), reason).inc()

    def who(self, adapter: str | None, revision: str | None) -> tuple[str, str]:
        """Bounded labels; the base model is `base`."""
        return self.labels.of(adapter or "base", revision or "")

    def adapter(self, name: str) -> str:
        """An adapter's label alone, bounded as well."""
        return self._names.of(name, "")[0]


def _histogram(name: str, text: str, buckets: tuple[float, ...], registry: CollectorRegistry) -> Histogram:
    return Histogram(f"cni_server_{name}", text, WHO, buckets=buckets, registry=registry)
