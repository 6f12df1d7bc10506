"""What is loaded before it is asked: by time of day, by what follows what, by announcements."""

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from adapters.registry.catalogue import Revision
from server.control.ahead import Ahead
from server.control.followers import Followers
from server.control.forecast import Forecast
from server.control.observer import Why
from server.control.popularity import Popularity
from server.control.rhythm import Rhythm

HOUR, DAY = 3600.0, 24 * 3600.0


def test_what_was_asked_at_this_hour_yesterday_is_expected_again_and_less_with_every_day() -> None:
    now = [9 * HOUR]
    rhythm = Rhythm(lambda: now[0])
    for _ in range(8):
        rhythm.asked("morning")
    now[0] = 18 * HOUR
    assert rhythm.expected("morning") == 0
    rhythm.asked("evening")
    now[0] = DAY + 8.5 * HOUR
    assert rhythm.expected("morning") == 8, "half an hour before"
    assert rhythm.expected("evening") == 0
    now[0] = DAY + 9 * HOUR
    assert rhythm.expected("morning") == 4
    now[0] = 3 * DAY + 9 * HOUR
    assert rhythm.expected("morning") == 1
    now[0] = 400 * DAY
    assert rhythm.expected("morning") < 1e-6, "a server that slept for a year turns a day's slots, not a year's"
    assert rhythm.expected("nobody") == 0


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    now = [9 * HOUR]
    rhythm = Rhythm(lambda: now[0])
    rhythm.asked("a")
    now[0] = 2 * HOUR
    rhythm.asked("a")
    assert rhythm.expected("a") == 2


def test_a_new_revision_takes_over_its_adapters_days() -> None:
    now = [9 * HOUR]
    forecast = Forecast(Popularity(lambda: now[0]), Rhythm(lambda: now[0]))
    for _ in range(4):
        forecast.asked("cni", "cni@old")
    forecast.asked("other", "other@one")
    now[0] += DAY
    assert forecast.of("cni", "cni@new") == 2
    assert forecast.likely(1) == ["cni"]


def test_what_a_caller_asks_after_another_is_learnt_per_caller() -> None:
    followers = Followers()
    for caller in range(3):
        assert followers.asked(caller, "recto") is None
        followers.asked(caller, "verso")
    assert followers.asked(9, "recto") is None, "three times are no habit"
    followers.asked(9, "verso")
    assert followers.asked(10, "recto") == "verso"
    assert followers.asked(11, "verso") is None


def test_no_habit_where_as_many_others_come_after_it() -> None:
    followers = Followers()
    for number, after in enumerate(itertools.islice(itertools.cycle("xyz"), 60)):
        followers.asked(number, "recto")
        followers.asked(number, after)
    assert followers.asked(99, "recto") is None


class FakeResidency:
    def __init__(self) -> None:
        self.forecast = Forecast(Popularity(time.monotonic), Rhythm(time.time))
        self.held: set[str] = set()

    def holds(self, name: str) -> bool:
        return name in self.held


class FakeLoading:
    """Loads what it is told to, slowly."""

    def __init__(self) -> None:
        self.residency = FakeResidency()
        self.asked: list[tuple[str, float]] = []

    async def warm_if_worth(self, revision: Revision, bonus: float) -> bool:
        self.asked.append((revision.adapter, bonus))
        await asyncio.sleep(0.001)
        self.residency.held.add(revision.public_name)
        return True


class Told:
    def __init__(self) -> None:
        self.ahead: list[Why] = []

    def loaded_ahead(self, why: Why) -> None:
        self.ahead.append(why)


def meant(model: str) -> Revision | None:
    return None if model == "base" else Revision(model, "0" * 12, Path("/nowhere"), 1, 0)


@pytest.fixture
def parts() -> tuple[Ahead, FakeLoading, Told]:
    loading, told = FakeLoading(), Told()
    return Ahead(loading, meant, told), loading, told  # type: ignore[arg-type]


async def test_announced_adapters_are_loaded_a_few_at_a_time_and_once(parts: tuple[Ahead, FakeLoading, Told]) -> None:
    ahead, loading, told = parts
    ahead.expect(["base", "a", "b", "c"], "hint")
    await asyncio.sleep(0.05)
    ahead.expect(["a"], "hint")
    await asyncio.sleep(0.05)
    assert loading.asked == [("a", 1.0), ("b", 1.0)], "the disk is for those who wait"
    assert told.ahead == ["hint", "hint"]


async def test_what_a_caller_usually_asks_next_is_loaded(parts: tuple[Ahead, FakeLoading, Told]) -> None:
    ahead, loading, told = parts
    for caller in range(4):
        ahead.asked(caller, "recto")
        ahead.asked(caller, "verso")
    assert loading.asked == []
    ahead.asked(7, "recto")
    await asyncio.sleep(0.05)
    assert (loading.asked, told.ahead) == ([("verso", 1.0)], ["follows"])


async def test_a_look_loads_what_this_time_of_day_asks_for(parts: tuple[Ahead, FakeLoading, Told]) -> None:
    ahead, loading, told = parts
    for name, count in (("rare", 1), ("often", 9), ("there", 5)):
        for _ in range(count):
            loading.residency.forecast.asked(name, f"{name}@{'0' * 12}")
    loading.residency.held.add(f"there@{'0' * 12}")
    await ahead.look()
    assert [name for name, _ in loading.asked] == ["often", "rare"]
    assert told.ahead == ["rhythm", "rhythm"]
