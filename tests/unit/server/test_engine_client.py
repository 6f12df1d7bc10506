"""What the engine says of a request is counted for the revision and for the request, however it ends."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import RequestOutputKind

from server.admission.account import Account, Usage, current
from server.metrics import Metrics
from server.vllm.engine_client import MeteredEngine

FINAL, DELTA = RequestOutputKind.FINAL_ONLY, RequestOutputKind.DELTA
MARK = "MBARGA"


class FakeClient:
    """Gives outputs in turn; an exception among them is raised, None waits for ever."""

    name = "the client's own"

    def __init__(self, *outputs: Any, written: int = 0) -> None:
        self.outputs = outputs
        self.closed = 0
        state = SimpleNamespace(detokenizer=SimpleNamespace(num_output_tokens=lambda: written))
        self.output_processor = SimpleNamespace(request_states={"in": state}, external_req_ids={"id": ["in"]})

    async def generate(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        try:
            for output in self.outputs:
                if isinstance(output, Exception):
                    raise output
                if output is None:
                    await asyncio.Event().wait()
                yield output
        finally:
            self.closed += 1
            self.output_processor.request_states.clear()  # as vLLM's abort does


def output(*tokens: int, cached: int = 0, finish: str | None = "stop") -> SimpleNamespace:
    """`tokens`: of each answer. Waited 0.2 s in the queue; the first came after 0.7 s, the others 0.1 s apart."""
    stats = SimpleNamespace(
        num_generation_tokens=tokens[-1], first_token_latency=0.7, queued_ts=10.0, scheduled_ts=10.2,
        first_token_ts=10.7, last_token_ts=10.7 + 0.1 * (tokens[-1] - 1),
    )  # fmt: skip
    answers = [SimpleNamespace(token_ids=range(count), finish_reason=finish) for count in tokens]
    return SimpleNamespace(prompt_token_ids=[1, 2, 3], metrics=stats, outputs=answers, num_cached_tokens=cached)


class Asked:
    """One request through a metered engine."""

    def __init__(self, client: FakeClient, most: int = 10) -> None:
        self.registry, self.client, self.account = CollectorRegistry(), client, Account()
        self.engine = MeteredEngine(client, Metrics(self.registry, most))

    def start(self, kind: Any = FINAL, name: str | None = "cni@aaa") -> AsyncGenerator[Any, None]:
        lora = SimpleNamespace(lora_name=name) if name else None
        mark = current.set(self.account)
        prompt = {"prompt_token_ids": [1, 2, 3]}
        started = self.engine.generate(prompt, SimpleNamespace(output_kind=kind), "id", lora_request=lora)
        current.reset(mark)
        return started

    async def all(self, kind: Any = FINAL, name: str | None = "cni@aaa") -> int:
        return len([one async for one in self.start(kind, name)])

    def value(self, metric: str, who: tuple[str, str] = ("cni", "aaa"), **more: str) -> float | None:
        labels = dict(zip(("adapter", "revision"), who, strict=True))
        return self.registry.get_sample_value(f"cni_server_{metric}", {**labels, **more})


@pytest.mark.parametrize(("name", "who"), [("cni@aaa", ("cni", "aaa")), (None, ("base", ""))])
async def test_times_and_tokens_go_to_the_revision_that_answered(name: str | None, who: tuple[str, str]) -> None:
    asked = Asked(FakeClient(output(5, cached=2)))
    assert await asked.all(name=name) == 1
    assert asked.value("queue_seconds_count", who) == asked.value("time_to_first_token_seconds_count", who) == 1
    assert asked.value("queue_seconds_sum", who) == pytest.approx(0.2)
    assert asked.value("time_to_first_token_seconds_sum", who) == pytest.approx(0.7)
    assert asked.value("time_per_output_token_seconds_sum", who) == pytest.approx(0.1)
    assert (asked.value("tokens_total", who, direction="in"), asked.value("tokens_total", who, direction="out")) == (
        3,
        5,
    )
    assert asked.account.usage() == Usage(3, 5, 2, 0) and asked.account.idle
    assert asked.engine.name == "the client's own"


async def test_every_answer_of_n_is_counted_streamed_or_not() -> None:
    whole = Asked(FakeClient(output(5, 4, 3)))
    await whole.all()
    streamed = Asked(FakeClient(output(2), output(3), output(7)))
    await streamed.all(DELTA)
    assert whole.account.usage().generated == streamed.account.usage().generated == 12


async def test_a_stream_that_is_broken_off_costs_what_it_brought() -> None:
    asked = Asked(FakeClient(output(2), output(2), None))
    stream = asked.start(DELTA)
    await anext(stream)
    await anext(stream)
    await stream.aclose()
    assert asked.account.usage() == Usage(3, 4, 0, 7) and asked.account.idle and asked.client.closed == 1


async def test_an_answer_in_one_piece_that_is_broken_off_costs_what_was_written() -> None:
    asked = Asked(FakeClient(None, written=9))
    waiting = asyncio.create_task(anext(asked.start()))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asked.account.ended(5)
    assert asked.account.usage() == Usage(3, 9, 0, 12) and asked.client.closed == 1


@pytest.mark.parametrize("kind", [FINAL, DELTA])
async def test_what_the_engine_refuses_is_the_callers_and_said_without_its_content(kind: Any) -> None:
    asked = Asked(FakeClient(VLLMValidationError(f"logit_bias has {MARK}", parameter="logit_bias", value=MARK)))
    with pytest.raises(VLLMValidationError) as refused:
        await asked.all(kind)
    assert MARK not in str(refused.value) and "logit_bias" in str(refused.value)
    assert asked.account.client_fault and not asked.account.failed and asked.account.idle


@pytest.mark.parametrize("fault", [RuntimeError(MARK), output(1, finish="error")])
async def test_what_fails_in_the_engine_is_its_own(fault: Any) -> None:
    asked = Asked(FakeClient(output(1), fault))
    with contextlib.suppress(RuntimeError):
        await asked.all(DELTA)
    assert asked.account.failed and not asked.account.client_fault


async def test_one_token_has_no_pace_and_an_aborted_request_no_times() -> None:
    asked = Asked(FakeClient(output(1)))
    await asked.all()
    assert asked.value("time_to_first_token_seconds_count") == 1
    assert asked.value("time_per_output_token_seconds_count") is None
    empty = Asked(FakeClient())
    await empty.all()
    assert empty.value("time_to_first_token_seconds_count") is None


async def test_beyond_the_cap_the_latest_have_their_own() -> None:
    asked = Asked(FakeClient(output(2)), most=2)
    for number in range(5):
        await asked.all(name=f"cni@{number}")
    assert asked.value("queue_seconds_count", ("cni", "2")) is None
    assert asked.value("queue_seconds_count", ("cni", "4")) == 1
