"""When a canary moves on and when it goes back: failures, invalid answers and p95 against what served before."""

import pytest

from adapters.registry.catalogue import Adapter
from server.control.canary import Canaries, Plan, Verdict

OLD, NEW = "a" * 12, "b" * 12
PLAN = Plan(NEW, {OLD: 1.0}, steps=(1, 10, 100), answers=20, worse=0.05, slower=1.5)


def adapter(weights: dict[str, float]) -> Adapter:
    return Adapter("cni", {}, weights)


def answer(
    canaries: Canaries, revision: str, count: int, failed: int = 0, pace: float | None = 0.01
) -> tuple[Verdict, str] | None:
    last = None
    for number in range(count):
        last = canaries.answered(adapter(PLAN.weights(0)), revision, number < failed, pace)
    return last


@pytest.fixture
def canaries() -> Canaries:
    made = Canaries()
    made.begin("cni", PLAN)
    return made


def test_shares_of_each_step_add_up_and_keep_what_served_in_proportion() -> None:
    plan = Plan(NEW, {OLD: 3.0, "c" * 12: 1.0}, steps=(1, 10, 100))
    assert plan.weights(0) == {OLD: 74.25, "c" * 12: 24.75, NEW: 1}
    assert plan.weights(1) == {OLD: 67.5, "c" * 12: 22.5, NEW: 10}
    assert plan.weights(2) == {NEW: 100.0}


def test_it_moves_on_when_both_sides_have_answered_enough_and_it_is_no_worse(canaries: Canaries) -> None:
    assert answer(canaries, NEW, 20) is None, "nothing to hold it against yet"
    assert answer(canaries, OLD, 19) is None
    assert answer(canaries, OLD, 1) == ("advance", "")
    canary = canaries.of(adapter(PLAN.weights(0)))
    assert canary is not None
    canary.advance()
    assert canary.weights == PLAN.weights(1)
    assert canary.verdict() is None, "what was answered before the step says nothing of it"


def test_failures_invalid_answers_and_slowness_send_it_back(canaries: Canaries) -> None:
    answer(canaries, OLD, 100, failed=4)
    assert answer(canaries, NEW, 20, failed=1) == ("advance", ""), "5 % against 4 %: within what chance does"
    assert answer(canaries, NEW, 20, failed=4) == ("worse", "12.5% of its answers fail, of the others' 4.0%")


def test_invalid_answers_send_it_back(canaries: Canaries) -> None:
    answer(canaries, OLD, 20)
    answer(canaries, NEW, 19)
    for _ in range(2):
        canaries.reported_invalid(adapter(PLAN.weights(0)), NEW)
    assert answer(canaries, NEW, 1) == ("worse", "10.0% of its answers are invalid, of the others' 0.0%")


def test_slow_tokens_send_it_back_by_their_p95(canaries: Canaries) -> None:
    answer(canaries, OLD, 40, pace=0.02)
    answer(canaries, NEW, 15, pace=0.02)
    assert answer(canaries, NEW, 5, pace=0.2) == ("worse", "its tokens take 200 ms at p95, the others' 20")


def test_answers_of_one_token_have_no_pace_and_do_not_hold_it_up(canaries: Canaries) -> None:
    answer(canaries, OLD, 40, pace=None)
    assert answer(canaries, NEW, 20, pace=None) == ("advance", "")


def test_nothing_is_judged_while_it_moves_and_nothing_once_an_operator_has_decided_otherwise(
    canaries: Canaries,
) -> None:
    canary = canaries.of(adapter(PLAN.weights(0)))
    assert canary is not None
    canary.moving = True
    answer(canaries, OLD, 40)
    assert answer(canaries, NEW, 40, failed=40) is None
    canary.moving = False
    assert canaries.of(adapter({OLD: 1.0})) is None
    assert canaries.of(adapter(PLAN.weights(0))) is None, "it does not begin again"
