"""What a key may use, who waits for whom, and what a request asks for and has cost."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from server.admission.account import Account, Usage
from server.admission.demand import Demand, demand_of
from server.admission.limits import Limiter
from server.admission.queue import Queue
from server.auth.keys import Key, Limits
from server.errors import BadRequest, TooMany, Unavailable


def limited(**limits: float) -> Key:
    return Key(id="k", sha256="0" * 64, scopes=frozenset({"inference"}), limits=Limits(**limits))  # type: ignore[arg-type]


def one(tokens: int = 1) -> Demand:
    return Demand(1, tokens)


def test_rate_refills_with_time() -> None:
    now = 0.0
    limiter, key = Limiter(lambda: now), limited(requests_per_second=2)
    for _ in range(2):
        limiter.arrive(key)
    with pytest.raises(TooMany) as error:
        limiter.arrive(key)
    assert error.value.headers["Retry-After"] == "1"
    now = 0.6
    limiter.arrive(key)


def test_tokens_are_reserved_at_the_start_and_settled_at_the_end() -> None:
    now = 0.0
    limiter, key = Limiter(lambda: now), limited(tokens_per_minute=1000)
    first = limiter.reserve(key, one(600))
    with pytest.raises(TooMany):  # the first may still use what it reserved
        limiter.reserve(key, one(600))
    limiter.settle(key, one(600), first, 100)
    now = 10.0
    second = limiter.reserve(key, one(900))
    limiter.settle(key, one(900), second, 900)
    now = 30.0
    with pytest.raises(TooMany) as error:
        limiter.reserve(key, one(10))
    assert error.value.headers["Retry-After"] == "30"  # the first hundred leave the minute then
    now = 60.5
    limiter.reserve(key, one(100))


def test_a_request_that_asks_for_more_than_a_minute_runs_alone() -> None:
    limiter, key = Limiter(lambda: 0.0), limited(tokens_per_minute=10)
    limiter.reserve(key, one(5000))
    with pytest.raises(TooMany):
        limiter.reserve(key, one(1))


def test_concurrency_counts_answers_not_requests() -> None:
    limiter, key = Limiter(lambda: 0.0), limited(concurrency=4)
    with pytest.raises(BadRequest, match="4 answers at a time; the request asks for 5"):
        limiter.reserve(key, Demand(5, 5))
    held = limiter.reserve(key, Demand(3, 3))
    with pytest.raises(TooMany):
        limiter.reserve(key, Demand(2, 2))
    limiter.reserve(key, one())
    limiter.settle(key, Demand(3, 3), held, 3)
    limiter.reserve(key, Demand(3, 3))


async def enter(queue: Queue, order: list[str], key: str, sequences: int = 1) -> None:
    await queue.enter(key, sequences)
    order.append(key)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_key_with_one_request_does_not_wait_behind_anothers_hundred() -> None:
    queue, order = Queue(2, 1000, 2, 30), []
    order = order or []
    await queue.enter("many", 2)
    waiting = [asyncio.create_task(enter(queue, order, "many")) for _ in range(100)]
    await settle()
    waiting.append(asyncio.create_task(enter(queue, order, "one")))
    await settle()
    assert queue.waiting == 101
    queue.leave("many", 1)
    await settle()
    assert order == ["one"]
    queue.leave("many", 1)
    queue.leave("one", 1)
    await settle()
    assert order == ["one", "many", "many"]
    for task in waiting:
        task.cancel()


async def test_a_large_request_is_not_overtaken_for_ever() -> None:
    queue, order = Queue(4, 1000, 4, 30), list[str]()
    await queue.enter("small", 3)
    large = asyncio.create_task(enter(queue, order, "large", 4))
    await settle()
    late = asyncio.create_task(enter(queue, order, "late"))
    await settle()
    queue.leave("small", 3)
    await settle()
    assert order == ["large"]
    queue.leave("large", 4)
    await settle()
    assert order == ["large", "late"]
    await asyncio.gather(large, late)


async def test_a_full_queue_a_long_wait_and_what_can_never_run() -> None:
    queue = Queue(2, 3, 2, 0.05)
    await queue.enter("a", 2)
    waiting = asyncio.create_task(queue.enter("a", 2))
    await settle()
    with pytest.raises(Unavailable, match="queue is full") as full:
        await queue.enter("b", 2)
    assert int(full.value.headers["Retry-After"]) >= 1
    with pytest.raises(BadRequest, match="asks for 3 answers"):
        await queue.enter("b", 3)
    with pytest.raises(Unavailable, match="waited"):
        await waiting
    assert queue.waiting == 0 and queue.running == 2
    queue.leave("a", 2)
    assert queue.running == 0


async def test_who_gives_up_leaves_nothing_behind() -> None:
    queue = Queue(1, 10, 1, 30)
    await queue.enter("a", 1)
    waiting = [asyncio.create_task(queue.enter(key, 1)) for key in "bcd"]
    await settle()
    waiting[0].cancel()
    queue.leave("a", 1)
    waiting[1].cancel()  # it may have got its turn in the same moment
    await asyncio.gather(*waiting[:2], return_exceptions=True)
    await asyncio.wait_for(waiting[2], 5)
    assert queue.running == 1 and queue.waiting == 0


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"prompt": "abcdef", "max_tokens": 10}, Demand(1, 3 + 10)),
        ({"prompt": [1, 2, 3], "max_tokens": 10, "n": 4}, Demand(4, 3 + 40)),
        ({"prompt": ["abc"] * 5, "max_tokens": 10, "n": 2}, Demand(10, 10 + 100)),
        ({"prompt": [[1, 2], [3]], "max_tokens": None}, Demand(2, 3 + 2 * 99)),
        ({"prompt": "abc", "max_tokens": 5000}, Demand(1, 2 + 98)),
        ({"messages": [{"role": "user", "content": "abcdef"}], "max_completion_tokens": 7}, Demand(1, 8 + 3 + 7)),
        ({"prompt": None, "n": None, "max_tokens": 0}, Demand(1, 1)),
    ],
)
def test_what_a_body_asks_for(body: dict[str, Any], wanted: Demand) -> None:
    assert demand_of(SimpleNamespace(**{"n": 1, **body}), 100) == wanted


async def test_an_account_knows_what_was_broken_off_and_when_all_has_left_the_engine() -> None:
    account = Account()
    first, second = account.begin(10), account.begin(20)
    first.generated, first.done = 5, True
    second.generated = 3
    account.end()
    assert not account.idle
    account.end()
    await account.ended(5)
    assert account.usage() == Usage(prompt=30, generated=8, cached=0, broken_off=23) and account.usage().total == 38


def test_a_beam_search_pays_its_prompt_once() -> None:
    account = Account(once=True)
    for _ in range(6):
        account.begin(10).generated = 1
    assert account.usage().prompt == 10 and account.usage().generated == 6
