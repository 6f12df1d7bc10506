"""Prometheus metrics of one app, in a registry of its own. Labels come from fixed sets, never from a request."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ocr_frontend.errors import FrontError

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60)
_DELAYS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_LOOK = 0.5  # seconds between two looks at the event loop
STAGES = ("queue", "decode", "ocr", "llm", "validate", "total")


class Metrics:
    """Counters of requests, errors and stages; gauges of the queue and of memory."""

    def __init__(self, documents: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("ocr_front_requests", "Requests answered", ["route", "status"], registry=self.registry)
        self.errors = Counter("ocr_front_errors", "Error answers by code", ["code"], registry=self.registry)
        self.in_progress = Gauge(
            "ocr_front_requests_in_progress", "Requests being answered now", registry=self.registry
        )
        self.stages = Histogram(
            "ocr_front_stage_duration_seconds", "Time in a stage", ["stage"], buckets=_BUCKETS, registry=self.registry
        )
        self.invalid_answers = Counter(
            "ocr_front_invalid_answers", "Model answers without the form asked for", registry=self.registry
        )
        self.loop_delay = Histogram(
            "ocr_front_event_loop_delay_seconds", "How late the event loop is", buckets=_DELAYS, registry=self.registry
        )
        self.field_warnings = Counter(
            "ocr_front_field_warnings", "Fields given with a warning", ["document"], registry=self.registry
        )
        # So that every series is there from the start: a rate needs a first value.
        for stage in STAGES:
            self.stages.labels(stage)
        for code in sorted(_codes(FrontError)):
            self.errors.labels(code)
        for document in documents:
            self.field_warnings.labels(document)
        ProcessCollector(registry=self.registry)
        self.registry.register(_Processes())

    def warned(self, document: str, warned: int) -> None:
        """How many fields of one answer have a warning. `document`: one that the front or a contract knows."""
        self.field_warnings.labels(document).inc(warned)

    def expect(self, routes: Iterable[str]) -> None:
        """Begin the request counters of these routes at nought."""
        for route in routes:
            for status in ("2xx", "4xx", "5xx"):
                self.requests.labels(route, status)

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """A gauge that is asked when it is collected."""
        Gauge(f"ocr_front_{name}", help_text, registry=self.registry).set_function(value)

    def took(self, seconds: Mapping[str, float]) -> None:
        """Observe stages that were measured elsewhere."""
        for stage, value in seconds.items():
            self.stages.labels(stage).observe(value)

    def count(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """A counter that something else counts; asked when it is collected. `_total` is added to its name."""
        self.registry.register(_Counted(f"ocr_front_{name}", help_text, value))

    async def watch_loop(self) -> None:
        """Observe how late the event loop wakes up, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOK
            await asyncio.sleep(_LOOK)
            self.loop_delay.observe(max(0.0, loop.time() - due))

    def render(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)


def _codes(error: type[FrontError]) -> set[str]:
    return {error.code}.union(*(_codes(kind) for kind in error.__subclasses__()))


class _Counted(Collector):
    def __init__(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        self._name, self._help, self._value = name, help_text, value

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._help)
        family.add_metric([], self._value())
        yield family


class _Processes(Collector):
    """Resident memory of this process and its children, read when it is collected."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        own = psutil.Process()
        sizes = []
        for process in (own, *own.children(recursive=True)):
            with suppress(psutil.Error):  # a child that has just ended
                sizes.append(process.memory_info().rss)
        yield GaugeMetricFamily("ocr_front_resident_memory_bytes", "Resident memory, all processes", sum(sizes))
        yield GaugeMetricFamily("ocr_front_processes", "Processes of this service", len(sizes))
