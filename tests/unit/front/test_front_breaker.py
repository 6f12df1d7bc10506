"""The circuit breaker: when it opens, who may try, and what counts."""

import asyncio

import pytest

from ocr_frontend.errors import Busy, DeadlineExceeded, ModelServerAway, ModelServerHangs, ModelServerRefuses
from ocr_frontend.llm.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def outcome(breaker: Breaker, error: BaseException | None = None) -> str:
    """`asked` when the block was entered."""
    asked = False
    try:
        with breaker.call():
            asked = True
            if error is not None:
                raise error
    except BaseException as raised:
        if raised is not error:
            assert isinstance(raised, ModelServerAway) and not asked
    return "asked" if asked else "refused"


AWAY = ModelServerAway("away")


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(2, 5, clock)
    assert [outcome(breaker, AWAY), outcome(breaker, AWAY)] == ["asked", "asked"]
    assert breaker.open
    return breaker


def test_failures_in_a_row_open_it_and_a_success_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert outcome(breaker) == "refused"
    clock.now = 5
    assert outcome(breaker) == "asked" and not breaker.open


def test_a_success_in_between_counts_from_the_start() -> None:
    breaker = Breaker(2, 5, Clock())
    assert [outcome(breaker, AWAY), outcome(breaker), outcome(breaker, AWAY)] == ["asked"] * 3
    assert not breaker.open


def test_a_failed_trial_opens_it_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 5
    assert outcome(breaker, AWAY) == "asked"
    clock.now = 9
    assert outcome(breaker) == "refused"


def test_one_trial_at_a_time_and_a_cancelled_one_makes_room() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 5
    with pytest.raises(asyncio.CancelledError), breaker.call():
        assert outcome(breaker) == "refused"
        raise asyncio.CancelledError
    assert breaker.open and outcome(breaker) == "asked"


@pytest.mark.parametrize("error", [Busy("429"), DeadlineExceeded("slow"), ValueError()])
def test_what_says_nothing_about_the_server(error: Exception) -> None:
    breaker = Breaker(1, 5, Clock())
    assert outcome(breaker, error) == "asked" and not breaker.open


def test_a_server_that_hangs_counts_as_one_that_is_away() -> None:
    clock = Clock()
    breaker = Breaker(2, 5, clock)
    hangs = ModelServerHangs("slow")
    assert [outcome(breaker, hangs), outcome(breaker, AWAY)] == ["asked", "asked"] and breaker.open
    assert outcome(breaker) == "refused"
    clock.now = 5
    assert outcome(breaker, hangs) == "asked" and breaker.open  # one trial, and it hung as well
    assert outcome(breaker) == "refused"


def test_a_server_that_refuses_is_there() -> None:
    breaker = Breaker(2, 5, Clock())
    assert [outcome(breaker, one) for one in (AWAY, ModelServerRefuses("key"), AWAY)] == ["asked"] * 3
    assert not breaker.open


def test_without_a_limit_it_never_opens() -> None:
    breaker = Breaker(0, 5, Clock())
    assert {outcome(breaker, AWAY) for _ in range(20)} == {"asked"}
