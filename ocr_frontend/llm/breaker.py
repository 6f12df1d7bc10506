"""A circuit breaker: after some failures in a row nobody waits for a server that is away; one call now and then tries.

closed ──failures in a row──► open ──seconds──► one trial ──success──► closed
                                ▲────────failure────┘
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ocr_frontend.errors import ModelServerAway, ModelServerHangs, ModelServerRefuses


class Breaker:
    """failures: in a row that open it; 0 never does. seconds: until a trial. For one event loop."""

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._seconds, self._clock = failures, seconds, clock
        self._failures = 0
        self._until = float("-inf")
        self._trial = False

    @property
    def open(self) -> bool:
        """Whether calls are refused, but for a trial."""
        return bool(self._limit) and self._failures >= self._limit

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call. Raises ModelServerAway at once while the circuit is open.

        ModelServerAway out of the block is a failure, and so is a call that the server left unanswered for all the
        time it had; a refusal of another kind, somebody's own deadline and a cancelled call say nothing about whether
        the server is there, and only end a trial.
        """
        trial = self.open
        if trial and (self._trial or self._clock() < self._until):
            raise ModelServerAway("The model server is away; it is not asked again yet.")
        self._trial = self._trial or trial
        try:
            yield
            self._failures = 0
        except ModelServerRefuses:
            self._failures = 0
            raise
        except (ModelServerAway, ModelServerHangs):
            self._failures += 1
            self._until = self._clock() + self._seconds
            raise
        finally:
            if trial:
                self._trial = False
