"""Residency: shared loads, least recently used leaves, leases and pins hold."""

import asyncio
import time
from pathlib import Path

import pytest

from adapters.registry.catalogue import Revision
from adapters.registry.errors import Refused
from server.control.engine import Answer
from server.control.residency import Residency
from server.control.seats import Seats


class FakeEngine:
    """Remembers what is loaded; `broken` names are refused."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.loads = 0
        self.most = 0
        self.broken: set[str] = set()
        self.pinned: set[str] = set()

    async def load(self, name: str, folder: Path) -> None:
        await asyncio.sleep(0.001)
        if name in self.broken:
            raise Refused("engine", "no")
        self.loads += 1
        self.loaded.append(name)
        self.most = max(self.most, len(self.loaded))

    async def unload(self, name: str) -> None:
        self.loaded.remove(name)
        await asyncio.sleep(0)

    async def pin(self, name: str) -> None:
        self.pinned.add(name)

    async def unpin(self, name: str) -> None:
        self.pinned.discard(name)

    async def slots(self) -> list[str]:
        return []

    async def ask(self, name: str | None, prompt: str, max_tokens: int) -> Answer:
        return Answer("")


def revision(index: int) -> Revision:
    return Revision("cni", f"{index:012x}", Path("/nowhere"), 1, 0)


async def passes(_: Revision) -> None:
    return None


class Observed:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.hits = self.misses = self.failures = 0
        self.evictions: list[tuple[str, str]] = []

    def looked_up(self, hit: bool) -> None:
        self.hits += hit
        self.misses += not hit

    def loaded(self, revision: Revision, seconds: float) -> None:
        assert seconds >= 0

    def failed(self, revision: Revision, error: BaseException) -> None:
        self.failures += 1

    def evicted(self, revision: Revision, reason: str) -> None:
        self.evictions.append((revision.public_name, reason))


def make(engine: FakeEngine, capacity: int, slots: int = 4) -> Residency:
    return Residency(engine, capacity, Seats(slots, time.monotonic), passes, passes, Observed())


def seen(residency: Residency) -> Observed:
    assert isinstance(residency.observer, Observed)
    return residency.observer


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


async def test_concurrent_first_requests_load_once(engine: FakeEngine) -> None:
    residency = make(engine, 2)
    leases = await asyncio.gather(*(residency.acquire(revision(1)) for _ in range(20)))
    assert engine.loads == 1
    assert residency.in_use(revision(1).public_name) == 20
    for lease in leases:
        await lease.release()
        await lease.release()
    assert residency.in_use(revision(1).public_name) == 0


async def test_first_caller_going_away_does_not_fail_the_others(engine: FakeEngine) -> None:
    residency = make(engine, 2)
    first = asyncio.create_task(residency.acquire(revision(1)))
    await asyncio.sleep(0)
    second = asyncio.create_task(residency.acquire(revision(1)))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert engine.loaded == [revision(1).public_name]
    assert residency.in_use(revision(1).public_name) == 1


async def test_least_recently_used_leaves_but_never_one_in_use_or_pinned(engine: FakeEngine) -> None:
    residency = make(engine, 3)
    await residency.pin([revision(1).public_name])
    held = await residency.acquire(revision(2))
    for index in (1, 3, 4, 5):
        await (await residency.acquire(revision(index))).release()
    assert set(engine.loaded) == {revision(i).public_name for i in (1, 2, 5)}
    await held.release()
    await (await residency.acquire(revision(6))).release()
    assert revision(2).public_name not in engine.loaded or revision(5).public_name not in engine.loaded


async def test_capacity_is_never_exceeded_and_nobody_starves(engine: FakeEngine) -> None:
    residency = make(engine, 2)

    async def use(index: int) -> None:
        lease = await residency.acquire(revision(index % 7))
        await asyncio.sleep(0.001)
        await lease.release()

    await asyncio.wait_for(asyncio.gather(*(use(i) for i in range(100))), 20)
    assert engine.most <= 2
    assert seen(residency).hits + seen(residency).misses == 100


async def test_one_place_and_two_first_requests_at_once(engine: FakeEngine) -> None:
    residency = make(engine, 1)

    async def use(index: int) -> None:
        await (await residency.acquire(revision(index))).release()

    await asyncio.wait_for(asyncio.gather(use(1), use(2)), 5)
    assert engine.loads == 2


async def test_a_failed_load_reaches_every_waiter_and_can_be_tried_again(engine: FakeEngine) -> None:
    residency = make(engine, 1)
    engine.broken.add(revision(1).public_name)
    results = await asyncio.gather(*(residency.acquire(revision(1)) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [Refused] * 3
    engine.broken.clear()
    await residency.acquire(revision(1))
    assert seen(residency).failures == 1


async def test_leaving_waits_for_the_last_lease(engine: FakeEngine) -> None:
    residency = make(engine, 4)
    lease = await residency.acquire(revision(1))
    await residency.leave(revision(1).public_name)
    assert engine.loaded
    await lease.release()
    assert not engine.loaded
