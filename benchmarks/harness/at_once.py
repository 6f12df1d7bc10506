"""Several clients that each ask again as soon as they are answered, for so many seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Shared(Generic[Q]):
    """One iterator for several threads."""

    def __init__(self, items: Iterator[Q]) -> None:
        self._items, self._lock = items, threading.Lock()

    def __next__(self) -> Q:
        with self._lock:
            return next(self._items)


def keep_asking(clients: int, seconds: float, questions: Iterator[Q], ask: Callable[[Q], A]) -> tuple[list[A], float]:
    """What `ask` gave each question, in the order of answers, and how many seconds it took until the last one."""
    answers: list[A] = []
    shared, begun = Shared(questions), time.perf_counter()

    def work(_: int) -> None:
        while time.perf_counter() - begun < seconds:
            answers.append(ask(next(shared)))  # one operation under the interpreter's lock

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, range(clients)))
    return answers, time.perf_counter() - begun
