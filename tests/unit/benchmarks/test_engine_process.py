"""An engine in a process of its own: what it answers, and what is said when it fails or ends."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from benchmarks.harness.engine_process import EngineProcess


def _doubling() -> Callable[[int], tuple[int, str, int]]:
    def answer(number: int) -> tuple[int, str, int]:
        return 2 * number, os.environ["OF_OURS"], os.getpid()

    return answer


def _failing() -> Callable[[int], int]:
    raise ValueError("no such base")


def _ending() -> Callable[[int], int]:
    return lambda _: os._exit(9)


@pytest.mark.parametrize("preload", [True, False])
def test_every_question_is_answered_in_the_environment_that_was_asked_for(preload: bool) -> None:
    with EngineProcess(_doubling, {"OF_OURS": "yes"}, preload) as engine:
        double, said, process = engine.ask(21)
        assert (double, said) == (42, "yes")
        assert engine.ask(4) == (8, "yes", process)
    assert process != os.getpid()
    assert "OF_OURS" not in os.environ
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_an_engine_that_does_not_start_says_why() -> None:
    with EngineProcess(_failing, {}) as engine, pytest.raises(RuntimeError, match="no such base"):
        engine.ask(1)


def test_an_engine_that_ended_is_told() -> None:
    with EngineProcess(_ending, {}) as engine:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="process ended"):
                engine.ask(1)
