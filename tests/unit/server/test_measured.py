"""What the engine says of a finished request is counted for the revision that answered, within the labels' bound."""

from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from server.control.measured import MeasuredEngine
from server.metrics import Metrics


class FakeClient:
    """Gives outputs in turn; the last one carries the request's statistics, as vLLM's does."""

    name = "the client's own"

    def __init__(self, *outputs: Any) -> None:
        self.outputs = outputs

    async def generate(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        for output in self.outputs:
            yield output


def output(tokens: int) -> SimpleNamespace:
    """Waited 0.2 s in the queue; its first token came after 0.7 s, the others a tenth of a second apart."""
    stats = SimpleNamespace(
        num_generation_tokens=tokens, first_token_latency=0.7, queued_ts=10.0, scheduled_ts=10.2,
        first_token_ts=10.7, last_token_ts=10.7 + 0.1 * (tokens - 1),
    )  # fmt: skip
    return SimpleNamespace(prompt_token_ids=[1, 2, 3], metrics=stats)


def lora(name: str) -> SimpleNamespace:
    return SimpleNamespace(lora_name=name)


async def ask(engine: MeasuredEngine, name: str | None) -> int:
    return len([one async for one in engine.generate("x", lora_request=lora(name) if name else None)])


@pytest.mark.parametrize(("name", "who"), [("cni@aaa", ("cni", "aaa")), (None, ("base", ""))])
async def test_times_and_tokens_go_to_the_revision_that_answered(name: str | None, who: tuple[str, str]) -> None:
    registry = CollectorRegistry()
    engine = MeasuredEngine(FakeClient(output(1), output(5)), Metrics(registry, 10))
    assert await ask(engine, name) == 2
    labels = dict(zip(("adapter", "revision"), who, strict=True))

    def value(metric: str, **more: str) -> float | None:
        return registry.get_sample_value(f"cni_server_{metric}", {**labels, **more})

    assert value("queue_seconds_count") == value("time_to_first_token_seconds_count") == 1
    assert value("queue_seconds_sum") == pytest.approx(0.2)
    assert value("time_to_first_token_seconds_sum") == pytest.approx(0.7)
    assert value("time_per_output_token_seconds_sum") == pytest.approx(0.1)
    assert (value("tokens_total", direction="in"), value("tokens_total", direction="out")) == (3, 5)
    assert engine.name == "the client's own"


async def test_one_token_has_no_pace_and_an_aborted_request_no_times() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, 10)
    await ask(MeasuredEngine(FakeClient(output(1)), metrics), "cni@aaa")
    await ask(MeasuredEngine(FakeClient(), metrics), "cni@aaa")
    who = {"adapter": "cni", "revision": "aaa"}
    assert registry.get_sample_value("cni_server_time_to_first_token_seconds_count", who) == 1
    assert registry.get_sample_value("cni_server_time_per_output_token_seconds_count", who) is None


async def test_beyond_the_cap_they_share_other() -> None:
    registry = CollectorRegistry()
    engine = MeasuredEngine(FakeClient(output(2)), Metrics(registry, 2))
    for number in range(5):
        await ask(engine, f"cni@{number}")
    other = {"adapter": "other", "revision": "other"}
    assert registry.get_sample_value("cni_server_queue_seconds_count", other) == 3
    assert registry.get_sample_value("cni_server_queue_seconds_count", {"adapter": "cni", "revision": "2"}) is None
