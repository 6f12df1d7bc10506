"""Residency: shared loads, least recently used leaves, leases and pins hold."""

import asyncio
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry.catalogue import Revision
from adapters.registry.errors import Refused
from server.control.engine import Answer, Slots
from server.control.forecast import Forecast
from server.control.loads import Check
from server.control.observer import Observer, Why
from server.control.popularity import Popularity
from server.control.residency import Residency
from server.control.rhythm import Rhythm
from server.control.seats import Seats
from server.tiers import Room


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

    async def slots(self) -> Slots:
        return Slots()

    async def ask(self, name: str | None, prompt: str, max_tokens: int) -> Answer:
        return Answer("")


def revision(index: int, size: int = 1) -> Revision:
    return Revision("cni", f"{index:012x}", Path("/nowhere"), size, 0)


async def passes(_: Revision) -> None:
    return None


class Observed:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.hits = self.misses = self.failures = self.foresaw = 0
        self.evictions: list[tuple[str, str]] = []

    def looked_up(self, hit: bool) -> None:
        self.hits += hit
        self.misses += not hit

    def loaded(self, revision: Revision, seconds: float) -> None:
        assert seconds >= 0

    def failed(self, revision: Revision, error: BaseException) -> None:
        self.failures += 1

    def foreseen(self, revision: Revision) -> None:
        self.foresaw += 1

    def loaded_ahead(self, why: Why) -> None:
        return None

    def evicted(self, revision: Revision, reason: str) -> None:
        self.evictions.append((revision.public_name, reason))


def make(
    engine: FakeEngine,
    capacity: int | Room,
    slots: int = 4,
    patience: float = 0.5,
    prove: Check = passes,
    observer: Observer | None = None,
) -> Residency:
    seats, forecast = Seats(slots, time.monotonic), Forecast(Popularity(time.monotonic), Rhythm(time.time))
    room = Room(capacity) if isinstance(capacity, int) else capacity
    return Residency(engine, room, seats, passes, prove, observer or Observed(), forecast, patience)


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
    assert set(engine.loaded) == {revision(i).public_name for i in (1, 5, 6)}, "2 was asked before 5"


async def test_what_is_asked_often_outlasts_a_crowd_that_is_asked_once(engine: FakeEngine) -> None:
    """Two favourites, and many rare ones between any two of their requests: least recently used would reload them."""
    residency = make(engine, 3)
    for index in range(40):
        for favourite in (100, 101) if index % 4 == 0 else ():
            await (await residency.acquire(revision(favourite))).release()
        await (await residency.acquire(revision(index))).release()
    assert {revision(100).public_name, revision(101).public_name} <= set(engine.loaded)
    # The first rare ones are asked as often as the favourites had been then.
    assert engine.loads <= 40 + 2 + 4


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


async def test_a_load_whose_caller_went_away_frees_its_place_for_who_waits(engine: FakeEngine) -> None:
    """One place; its load is still running when its only caller leaves and a second adapter is asked for."""
    residency = make(engine, 1)
    first = asyncio.create_task(residency.acquire(revision(1)))
    await asyncio.sleep(0)
    second = asyncio.create_task(residency.acquire(revision(2)))
    await asyncio.sleep(0)
    first.cancel()
    lease = await asyncio.wait_for(second, 5)
    assert engine.loaded == [revision(2).public_name]
    await lease.release()


async def test_a_failed_load_whose_caller_went_away_frees_its_place_too(engine: FakeEngine) -> None:
    residency = make(engine, 1)
    engine.broken.add(revision(1).public_name)
    first = asyncio.create_task(residency.acquire(revision(1)))
    await asyncio.sleep(0)
    second = asyncio.create_task(residency.acquire(revision(2)))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait_for(second, 5)


async def test_what_is_to_leave_while_it_loads_leaves_when_it_is_loaded(engine: FakeEngine) -> None:
    residency = make(engine, 2)
    asking = asyncio.create_task(residency.acquire(revision(1)))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await residency.leave(revision(1).public_name)
    for _ in range(100):
        await asyncio.sleep(0.001)
        if engine.loads and not engine.loaded:
            break
    assert engine.loads == 1 and not engine.loaded
    assert seen(residency).evictions == [(revision(1).public_name, "left")]


async def test_asked_again_while_it_is_being_unloaded(engine: FakeEngine) -> None:
    residency = make(engine, 1)
    await (await residency.acquire(revision(1))).release()
    again, other = await asyncio.gather(_use(residency, 1), _use(residency, 2), return_exceptions=True)
    assert again is None and other is None
    leaving = asyncio.create_task(residency.leave(revision(2).public_name))
    await asyncio.sleep(0)
    await asyncio.wait_for(_use(residency, 2), 5)
    await leaving
    assert engine.most == 1


async def _use(residency: Residency, index: int) -> None:
    await (await residency.acquire(revision(index))).release()


async def test_an_adapter_without_effect_is_unloaded_again(engine: FakeEngine) -> None:
    async def refuses(_: Revision) -> None:
        raise Refused("no-effect", "none")

    residency = make(engine, 2, 2, prove=refuses)
    with pytest.raises(Refused, match="none"):
        await residency.acquire(revision(1))
    assert engine.loads == 1 and not engine.loaded and not residency.resident()


async def test_a_pin_reaches_the_engine_at_once_or_at_the_load(engine: FakeEngine) -> None:
    residency = make(engine, 4, slots=3)
    await _use(residency, 1)
    await residency.pin([revision(1).public_name, revision(2).public_name])
    await _use(residency, 2)
    assert engine.pinned == {revision(1).public_name, revision(2).public_name}
    assert residency.room_for_pins == 2
    await residency.pin([revision(2).public_name])
    assert engine.pinned == {revision(2).public_name}


async def test_random_use_never_breaks_the_books(engine: FakeEngine) -> None:
    """Callers that leave, loads that fail, switches and pins in any order: then everything is given back."""
    rng = random.Random(5)
    residency = make(engine, 3, slots=3)

    async def user() -> None:
        for _ in range(30):
            index = rng.randrange(8)
            task = asyncio.create_task(residency.acquire(revision(index)))
            if rng.random() < 0.3:
                await asyncio.sleep(rng.random() * 0.002)
                task.cancel()
            try:
                lease = await task
            except (asyncio.CancelledError, Refused):
                continue
            assert revision(index).public_name in engine.loaded
            await asyncio.sleep(rng.random() * 0.002)
            assert revision(index).public_name in engine.loaded
            await lease.release()

    async def disturb() -> None:
        for _ in range(60):
            await asyncio.sleep(0.001)
            engine.broken = {revision(rng.randrange(8)).public_name} if rng.random() < 0.3 else set()
            await residency.leave(revision(rng.randrange(8)).public_name)
            await residency.pin([revision(rng.randrange(8)).public_name] if rng.random() < 0.5 else [])

    await asyncio.wait_for(asyncio.gather(*(user() for _ in range(12)), disturb()), 60)
    await asyncio.sleep(0.05)
    assert engine.most <= 3
    assert {r.public_name for r in residency.resident()} == set(engine.loaded)
    assert all(residency.in_use(revision(index).public_name) == 0 for index in range(8))


async def test_a_cold_adapter_gets_its_turn_between_two_that_are_always_in_use(engine: FakeEngine) -> None:
    """Two places, each adapter's next request begins before its last one ends."""
    residency = make(engine, 2, patience=0.01)
    stop = asyncio.Event()
    answered = 0

    async def overlapping(index: int) -> None:
        """Two callers that take turns: one of them always holds a lease, unless new ones have to wait."""

        async def caller() -> None:
            nonlocal answered
            while not stop.is_set():
                lease = await residency.acquire(revision(index))
                answered += 1
                await asyncio.sleep(0.002)
                await lease.release()

        await asyncio.gather(caller(), caller(), caller())

    hot = [asyncio.create_task(overlapping(index)) for index in (1, 2)]
    await asyncio.sleep(0.02)
    for cold in (3, 4):
        lease = await asyncio.wait_for(residency.acquire(revision(cold)), 5)
        await lease.release()
    before = answered
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*hot), 5)
    assert answered > before, "those that made room are answered again"
    assert engine.most <= 2


async def test_who_came_first_is_served_first(engine: FakeEngine) -> None:
    residency = make(engine, 1, patience=60)
    held = await residency.acquire(revision(0))
    order: list[int] = []

    async def ask(index: int) -> None:
        lease = await residency.acquire(revision(index))
        order.append(index)
        await lease.release()

    asking = []
    for index in range(1, 9):
        asking.append(asyncio.create_task(ask(index)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert residency.waiting == 8
    await held.release()
    await asyncio.wait_for(asyncio.gather(*asking), 5)
    assert order == list(range(1, 9))


async def test_who_leaves_the_queue_holds_nobody_up(engine: FakeEngine) -> None:
    residency = make(engine, 1, patience=0)
    held = await residency.acquire(revision(0))
    gone = [asyncio.create_task(residency.acquire(revision(index))) for index in range(1, 4)]
    await asyncio.sleep(0.01)
    assert residency.waiting == 3
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    await asyncio.sleep(0)
    assert residency.waiting == 0 and engine.loads == 1
    # What was to make room for them takes requests again.
    again = await asyncio.wait_for(residency.acquire(revision(0)), 1)
    await again.release()
    await held.release()
    await asyncio.wait_for(residency.acquire(revision(1)), 5)
    assert seen(residency).failures == 0


class Clumsy(Observed):
    """Raises where it is told of a load, as long as it is broken."""

    broken = True

    def loaded(self, revision: Revision, seconds: float) -> None:
        if self.broken:
            raise RuntimeError("told too much")


async def test_whatever_fails_after_a_load_leaves_no_place_taken(engine: FakeEngine) -> None:
    clumsy = Clumsy()
    residency = make(engine, 1, observer=clumsy)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await residency.acquire(revision(1))
    assert engine.loaded == [] and not residency.holds(revision(1).public_name)
    clumsy.broken = False
    await asyncio.wait_for(residency.acquire(revision(2)), 5)


async def test_a_pin_that_the_engine_does_not_take_is_no_failed_load(engine: FakeEngine) -> None:
    async def broken(name: str) -> None:
        raise RuntimeError("no")

    residency = make(engine, 3)
    await residency.pin([revision(1).public_name])
    engine.pin = broken  # type: ignore[method-assign]
    lease = await residency.acquire(revision(1))
    await lease.release()
    assert residency.resident() == [revision(1)]


async def test_an_unload_that_fails_gives_the_place_back(engine: FakeEngine) -> None:
    unload = engine.unload

    async def broken(name: str) -> None:
        await unload(name)
        raise RuntimeError("no answer")

    residency = make(engine, 1)
    await (await residency.acquire(revision(1))).release()
    engine.unload = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await residency.acquire(revision(2))
    engine.unload = unload  # type: ignore[method-assign]
    await asyncio.wait_for(residency.acquire(revision(3)), 5)
    assert engine.most == 1


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), capacity=st.integers(1, 4))
def test_whatever_callers_do_everything_is_given_back(seed: int, capacity: int) -> None:
    """Callers come, wait, are cancelled, loads fail: at the end nothing is held and each place can be had."""
    asyncio.run(_storm(random.Random(seed), capacity))


async def _storm(dice: random.Random, capacity: int) -> None:
    engine = FakeEngine()
    engine.broken = {revision(index).public_name for index in range(9) if dice.random() < 0.2}
    residency = make(engine, capacity, patience=dice.choice([0, 0.001, 1]))

    async def caller() -> None:
        lease = await residency.acquire(revision(dice.randrange(9)))
        try:
            await asyncio.sleep(dice.random() * 0.003)
        finally:
            await lease.release()

    tasks = []
    for _ in range(60):
        tasks.append(asyncio.create_task(caller()))
        if dice.random() < 0.3:
            dice.choice(tasks).cancel()
        if dice.random() < 0.1:
            await residency.leave(revision(dice.randrange(9)).public_name)
        await asyncio.sleep(dice.random() * 0.001)
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert engine.most <= capacity and residency.waiting == 0
    assert not any(residency.in_use(revision(index).public_name) for index in range(9))
    engine.broken = set()
    async with asyncio.timeout(5):
        leases = [await residency.acquire(revision(20 + index)) for index in range(capacity)]
    assert len(engine.loaded) == capacity
    for lease in leases:
        await lease.release()


async def ask(residency: Residency, *revisions: Revision) -> None:
    for one in revisions:
        await (await residency.acquire(one)).release()


def names(*revisions: Revision) -> set[str]:
    return {one.public_name for one in revisions}


async def test_small_adapters_have_more_places_in_the_same_memory(engine: FakeEngine) -> None:
    """900 bytes hold two of 400, each with an eighth beside it, or eight of 100."""
    residency = make(engine, Room(1000, 900, 400))
    small, large = [revision(index, 100) for index in range(8)], revision(50, 400)
    await ask(residency, *small)
    assert set(engine.loaded) == names(*small)
    assert residency.capacity == 8
    await ask(residency, large)
    assert set(engine.loaded) == names(large, *small[4:]), "so many make room that it fits, the oldest of equals"
    await ask(residency, *small)
    assert large.public_name not in engine.loaded, "it takes the place of four that are asked as often"
    assert residency.room_for_pins == 1, "however large they are"


async def test_no_more_bytes_than_there_are_even_for_a_moment(engine: FakeEngine) -> None:
    sizes = [100, 400, 250, 30, 900, 100, 220, 400, 75, 310]
    residency = make(engine, Room(1000, 1000, 900))
    held = {f"cni@{index:012x}": residency.room.charge(size) for index, size in enumerate(sizes)}
    dice = random.Random(1)

    async def use() -> None:
        index = dice.randrange(len(sizes))
        lease = await residency.acquire(revision(index, sizes[index]))
        loaded = sum(held[name] for name in engine.loaded)
        assert loaded <= 1000 or len(engine.loaded) == 1
        await asyncio.sleep(0.001)
        await lease.release()

    async with asyncio.timeout(30):
        await asyncio.gather(*(use() for _ in range(120)))


async def test_a_room_that_shrinks_is_left_and_one_that_grows_is_used(engine: FakeEngine) -> None:
    residency = make(engine, Room(1000, 900, 400))
    held = await residency.acquire(revision(0, 400))
    await ask(residency, *(revision(index, 100) for index in range(1, 5)))
    await residency.resize(Room(1000, 563, 400))
    assert set(engine.loaded) == names(revision(0), revision(4)), "who is asked stays"
    await residency.resize(Room(1000, 563, 400))
    assert set(engine.loaded) == names(revision(0), revision(4)), "what fits stays"
    await residency.resize(Room(1000, 100, 400))
    assert set(engine.loaded) == names(revision(0))
    await held.release()
    await residency.resize(Room(1000, 2000, 400))
    await ask(residency, *(revision(index, 100) for index in range(1, 13)))
    assert len(engine.loaded) == 13


async def test_what_is_loaded_ahead_pushes_out_nothing_that_is_more_popular(engine: FakeEngine) -> None:
    residency = make(engine, 2)
    await ask(residency, revision(1), revision(1), revision(2))
    assert not await residency.load_ahead(revision(3))
    assert await residency.load_ahead(revision(3), bonus=1.5), "announced, it counts for more than one request"
    assert set(engine.loaded) == names(revision(1), revision(3))
    await ask(residency, revision(3), revision(3))
    assert (seen(residency).foresaw, seen(residency).misses) == (1, 2), "asked now, and found there"


async def test_what_is_loaded_ahead_waits_for_nobody_but_becomes_a_request_when_one_comes(engine: FakeEngine) -> None:
    residency = make(engine, 1)
    held = await residency.acquire(revision(1))
    assert not await residency.load_ahead(revision(2), bonus=9)
    assert not residency.holds(revision(2).public_name)
    await held.release()
    ahead = asyncio.create_task(residency.load_ahead(revision(2), bonus=9))
    await asyncio.sleep(0)
    lease = await residency.acquire(revision(2))
    assert await ahead
    await lease.release()
    assert engine.loads == 2
