"""Seats: a batch never needs more slots than pins leave, and nobody waits for ever."""

import asyncio

from server.control.seats import Seats


def make(slots: int, now: list[float]) -> Seats:
    return Seats(slots, lambda: now[0])


async def test_without_pins_nobody_waits() -> None:
    seats = make(2, [0.0])
    for name in "abcdef":
        await asyncio.wait_for(seats.take(name), 1)


async def test_with_pins_only_so_many_others_at_a_time() -> None:
    seats = make(3, [0.0])
    seats.pin(["p"])
    for name in ("p", "a", "b", "a"):
        await asyncio.wait_for(seats.take(name), 1)
    third = asyncio.create_task(seats.take("c"))
    await asyncio.sleep(0)
    assert not third.done()
    seats.give("a")
    await asyncio.sleep(0)
    assert not third.done(), "another request of a is still being answered"
    seats.give("a")
    await asyncio.wait_for(third, 1)


async def test_a_pin_that_ends_lets_the_waiting_in() -> None:
    seats = make(2, [0.0])
    seats.pin(["p"])
    await seats.take("a")
    waiting = asyncio.create_task(seats.take("b"))
    await asyncio.sleep(0)
    assert not waiting.done()
    seats.pin([])
    await asyncio.wait_for(waiting, 1)


async def test_a_busy_adapter_does_not_keep_another_waiting_for_ever() -> None:
    now = [0.0]
    seats = make(2, now)
    seats.pin(["p"])
    await seats.take("busy")
    waiting = asyncio.create_task(seats.take("rare"))
    await asyncio.sleep(0)
    await asyncio.wait_for(seats.take("busy"), 1)  # may pass for a moment
    now[0] = 1.0
    late = asyncio.create_task(seats.take("busy"))
    await asyncio.sleep(0)
    assert not late.done()
    await asyncio.wait_for(seats.take("p"), 1)  # what is pinned waits for nobody
    for _ in range(2):
        seats.give("busy")
    await asyncio.wait_for(waiting, 1)
    assert not late.done()
    seats.give("rare")
    await asyncio.wait_for(late, 1)


async def test_a_caller_who_goes_away_leaves_no_seat_taken() -> None:
    seats = make(2, [0.0])
    seats.pin(["p"])
    await seats.take("a")
    gone = [asyncio.create_task(seats.take("b")) for _ in range(2)]
    last = asyncio.create_task(seats.take("c"))
    await asyncio.sleep(0)
    gone[0].cancel()
    await asyncio.sleep(0)
    seats.give("a")  # the second one is let in at this moment, and goes away at this moment
    gone[1].cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    await asyncio.wait_for(last, 1)
