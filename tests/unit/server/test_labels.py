"""Labels are bounded and come back: a new revision has its own, however many were asked before it."""

from prometheus_client import CollectorRegistry, Gauge

from server.labels import OTHER, Labels
from server.metrics import Metrics
from server.vllm.lora_info import bound


def test_the_least_recently_used_goes_and_its_series_with_it() -> None:
    gone: list[tuple[str, str]] = []
    labels = Labels(2, gone.append)
    assert [labels.of("a", name) for name in "123"] == [("a", "1"), ("a", "2"), ("a", "3")]
    assert gone == [("a", "1")] and not labels.has("a", "1")
    labels.of("a", "2")
    labels.of("a", "4")
    assert gone == [("a", "1"), ("a", "3")]


def test_what_aliases_mean_and_what_is_being_answered_stays() -> None:
    labels = Labels(3)
    labels.keep([("cni", "1")])
    for name in "123":
        labels.of("cni", name)
    labels.hold(("cni", "2"))
    assert labels.of("cni", "4") == ("cni", "4")  # in the place of 3
    labels.keep([("cni", "1"), ("cni", "4")])
    assert labels.of("cni", "5") == (OTHER, OTHER)
    labels.let_go(("cni", "2"))
    assert labels.of("cni", "5") == ("cni", "5") and labels.has("cni", "1") and labels.has("cni", "4")


def test_a_canary_after_a_thousand_others_has_metrics_of_its_own_and_gauges_never_go_below_zero() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, 10)
    running = metrics.begin_request("cni", "old")
    for number in range(1000):
        metrics.begin("many", str(number))
        metrics.end_request(metrics.begin_request("many", str(number)))
    metrics.end_request(running)
    canary = metrics.begin_request("cni", "new")
    assert canary == ("cni", "new")
    samples = [s for family in registry.collect() for s in family.samples if s.name == "cni_server_requests_in_flight"]
    assert len(samples) <= 10 and all(sample.value >= 0 for sample in samples)
    families = {s.name for f in registry.collect() for s in f.samples if s.labels.get("revision") == "0"}
    assert families == set()


def test_the_routers_gauge_keeps_its_newest_series() -> None:
    registry = CollectorRegistry()
    gauge = Gauge("vllm:lora_requests_info", "x", ("max_lora", "running_lora_adapters"), registry=registry)
    for moment in range(100):
        gauge.labels("4", f"a{moment}").set(moment)
        bound(registry, kept=5)
    left = {sample.value for sample in gauge.collect()[0].samples}
    assert left == {95, 96, 97, 98, 99}
    bound(CollectorRegistry())
