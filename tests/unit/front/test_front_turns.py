"""Whose turn it is: a small simulation of clients that send one card after the other, in a time of its own."""

import heapq
import random
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.ocr.turns import Queue


@dataclass
class Service:
    """One reader, `read` seconds a picture, then a model for `model` seconds; a full queue refuses."""

    read: float
    model: float
    queue: int = 16
    waits: dict[str, list[float]] = field(default_factory=dict)

    def run(self, clients: dict[str, int], seconds: float = 3000, seed: int = 0) -> None:
        """Each client sends its next card when it has an answer, a second later where it was refused."""
        rng, queue, busy, number = random.Random(seed), Queue[tuple[str, float]](), False, 0
        events: list[tuple[float, int, tuple[Any, ...]]] = []

        def at(moment: float, *event: object) -> None:
            nonlocal number
            number += 1
            heapq.heappush(events, (moment, number, event))

        for key, count in clients.items():
            for _ in range(count):
                at(rng.random(), "sent", key)
        while events:
            now, _, (kind, *about) = heapq.heappop(events)
            if now > seconds:
                return
            if kind == "sent":
                [key] = about
                room = max(1, self.queue // len(queue.lines.keys() | {key}))
                if busy and len(queue.lines.get(key, ())) >= room:
                    at(now + 1, "sent", key)
                    continue
                queue.add(key, (key, now))
            elif kind == "read":
                busy = False
                at(now + self.model, "answered", *about)
            else:
                key, sent = about
                self.waits.setdefault(key, []).append(now - sent)
                at(now, "sent", key)
            if not busy and (following := queue.take()) is not None:
                busy = True
                at(now + self.read * rng.lognormvariate(0, 0.15), "read", *following)


def p95(waits: list[float]) -> float:
    return sorted(waits)[int(0.95 * len(waits))]


@pytest.mark.parametrize("quiet", [1, 2, 3, 4])
@pytest.mark.parametrize(("read", "model"), [(2.0, 0.5), (0.5, 0.5), (0.4, 0.9)])
def test_beside_a_flood_a_quiet_key_waits_at_most_twice_as_long_as_alone(quiet: int, read: float, model: float) -> None:
    alone, beside = Service(read, model), Service(read, model)
    alone.run({"quiet": quiet})
    beside.run({"quiet": quiet, "flood": 30})
    assert p95(beside.waits["quiet"]) <= 2 * p95(alone.waits["quiet"])
    assert median(beside.waits["quiet"]) <= 2 * median(alone.waits["quiet"])
    assert len(beside.waits["flood"]) > 0.35 * sum(map(len, beside.waits.values())), "the flood is read too"


def test_a_key_that_was_away_has_no_turns_saved_up() -> None:
    queue: Queue[str] = Queue()
    queue.add("rare", "rare")
    assert queue.take() == "rare"
    for number in range(20):
        queue.add("steady", f"steady {number}")
    for number in range(10):
        assert queue.take() == f"steady {number}"
    for number in range(10):
        queue.add("rare", f"rare {number}")
    order = [str(queue.take()).split()[0] for _ in range(10)]
    assert 4 <= order.count("rare") <= 6 and order[0] == "rare"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_everybody_gets_one_turn(steps: list[tuple[str, bool]]) -> None:
    queue: Queue[int] = Queue()
    sent, given_to = [], []
    for number, (key, takes) in enumerate(steps):
        queue.add(key, number)
        sent.append(number)
        if takes:
            given_to.append(queue.take())
    while (waiter := queue.take()) is not None:
        given_to.append(waiter)
    assert sorted(given_to) == sent and len(queue) == 0  # type: ignore[type-var]
