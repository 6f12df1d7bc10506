"""What happens to each revision: loads, evictions, switches, rollbacks, waiting. Labels are bounded (labels.py)."""

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

from adapters.registry.catalogue import Revision
from adapters.registry.errors import Refused
from server.control.observer import REASONS, Why
from server.labels import WHO, Labels

EVICTIONS = ("room", "left")
ROLLBACKS = ("manual", "automatic")
_LOAD_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class RevisionMetrics:
    """Also the residency's observer. Totals without labels are kept beside: they never end in `other`."""

    def __init__(self, labels: Labels, registry: CollectorRegistry) -> None:
        self._labels = labels
        r = registry
        self.hits = self.misses = self.total_loads = self.total_failures = self.total_evictions = 0
        self.seconds = Histogram("cni_server_adapter_load_seconds", "Disk to engine", buckets=_LOAD_SECONDS, registry=r)
        self.loads = Counter("cni_server_revision_loads", "Loads into the engine", WHO, registry=r)
        self.load_seconds = Summary("cni_server_revision_load_seconds", "Disk to engine", WHO, registry=r)
        self.failures = Counter(
            "cni_server_revision_load_failures", "Loads that failed, by check", (*WHO, "check"), registry=r
        )
        self.evictions = Counter("cni_server_revision_evictions", "Unloads by reason", (*WHO, "reason"), registry=r)
        self.ahead = Counter(
            "cni_server_adapter_loads_ahead", "Loads before anybody asked, by reason", ("reason",), registry=r
        )
        self.ahead_used = Counter(
            "cni_server_adapter_loads_ahead_used", "Of these, asked before they had to leave", registry=r
        )
        for reason in REASONS:
            self.ahead.labels(reason)
        self.admission = Summary(
            "cni_server_admission_seconds", "Waiting for a load and a slot, before the engine", WHO, registry=r
        )
        self.switches = Counter("cni_server_revision_switches", "Times an alias came to mean it", WHO, registry=r)
        self.rollbacks = Counter(
            "cni_server_revision_rollbacks", "Times a rollback left it", (*WHO, "reason"), registry=r
        )

    @property
    def by_revision(self) -> tuple[Counter | Summary, ...]:
        """Those with a revision's labels."""
        counters = (self.loads, self.failures, self.evictions, self.switches, self.rollbacks)
        return (*counters, self.load_seconds, self.admission)

    def begin(self, who: tuple[str, str]) -> None:
        """Let a revision's counters exist at zero: a rate over a counter that is born at one misses that one."""
        for metric in (self.loads, self.load_seconds, self.admission, self.switches):
            metric.labels(*who)
        for reason in EVICTIONS:
            self.evictions.labels(*who, reason)
        for reason in ROLLBACKS:
            self.rollbacks.labels(*who, reason)

    def looked_up(self, hit: bool) -> None:
        """Found in memory or not."""
        self.hits += hit
        self.misses += not hit

    def loaded(self, revision: Revision, seconds: float) -> None:
        """From disk into the engine."""
        who = self._who(revision)
        self.total_loads += 1
        self.seconds.observe(seconds)
        self.loads.labels(*who).inc()
        self.load_seconds.labels(*who).observe(seconds)

    def failed(self, revision: Revision, error: BaseException) -> None:
        """The failed check's name, or the engine's fault."""
        self.total_failures += 1
        check = error.check if isinstance(error, Refused) else "error"
        self.failures.labels(*self._who(revision), check).inc()

    def foreseen(self, revision: Revision) -> None:
        """Loaded ahead, and asked now."""
        self.ahead_used.inc()

    def loaded_ahead(self, why: Why) -> None:
        """For nobody but who may come."""
        self.ahead.labels(why).inc()

    def evicted(self, revision: Revision, reason: str) -> None:
        """`room` or `left`."""
        self.total_evictions += 1
        self.evictions.labels(*self._who(revision), reason).inc()

    def _who(self, revision: Revision) -> tuple[str, str]:
        return self._labels.of(revision.adapter, revision.revision)
