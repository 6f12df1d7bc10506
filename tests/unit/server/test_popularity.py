"""Counts that halve: what is asked often stays, what was asked often once does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.control import popularity
from server.control.popularity import Popularity


def test_a_count_halves_and_grows_by_one() -> None:
    now = [0.0]
    seen = Popularity(lambda: now[0], half_life=10)
    for _ in range(4):
        seen.asked("a")
    assert seen.of("a") == 4.0
    now[0] = 10
    assert seen.of("a") == 2.0
    seen.asked("a")
    assert seen.of("a") == 3.0
    assert seen.of("never asked") == 0.0


def test_this_mornings_favourite_is_passed_by_what_is_asked_now() -> None:
    now = [0.0]
    seen = Popularity(lambda: now[0], half_life=3600)
    for _ in range(100):
        seen.asked("morning")
    now[0] = 8 * 3600
    seen.asked("evening")
    assert seen.of("evening") > seen.of("morning")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5000)), max_size=40))
def test_counts_are_the_sum_of_what_is_left_of_each_request(requests: list[tuple[str, float]]) -> None:
    now = [0.0]
    seen = Popularity(lambda: now[0], half_life=700)
    times: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    for name, pause in requests:
        now[0] += pause
        seen.asked(name)
        times[name].append(now[0])
    for name, asked in times.items():
        assert seen.of(name) == pytest.approx(sum(0.5 ** ((now[0] - then) / 700) for then in asked))


def test_names_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popularity, "_MOST_NAMES", 100)
    seen = Popularity(lambda: 0.0)
    for _ in range(3):
        seen.asked("popular")
    for index in range(1000):
        seen.asked(f"rare-{index}")
        assert len(seen._counts) <= 101
    assert seen.of("popular") == 3.0
