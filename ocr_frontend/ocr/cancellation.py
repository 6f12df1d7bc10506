"""Work in a thread that can be told to stop: it looks before every run of a model, some tenths of a second apart."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Stopped(Exception):
    """Nobody waits for this work any more."""


_asked: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


@contextmanager
def until(stop: threading.Event) -> Iterator[None]:
    """Inside the block, in this thread, `check` raises once `stop` is set."""
    token = _asked.set(stop)
    try:
        yield
    finally:
        _asked.reset(token)


def check() -> None:
    """Raises Stopped when this thread's work was told to stop."""
    stop = _asked.get()
    if stop is not None and stop.is_set():
        raise Stopped


class StoppableRunner:
    """A PaddleX runner that checks before it runs its model; everything else is the runner's own."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Raises Stopped, and what the runner raises."""
        check()
        return self._runner(*inputs, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)


def make_stoppable(*models: Any) -> None:
    """Put the check before PaddleX models."""
    for model in models:
        model.runner = StoppableRunner(model.runner)
