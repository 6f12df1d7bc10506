"""What each key has used of its limits."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ocr_frontend.auth.keys import Key, Limits
from ocr_frontend.errors import RateLimited

_MINUTE = 60.0


@dataclass
class Used:
    """What a request used; the one who runs it fills `tokens`."""

    tokens: int = 0


@dataclass
class _Usage:
    allowance: float
    seen: float
    running: int = 0
    background: int = 0
    tokens: deque[tuple[float, int]] = field(default_factory=deque)


class Limiter:
    """Counts by key id. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._usage: dict[str, _Usage] = {}

    @contextmanager
    def admit(self, key: Key, *, background: bool = False) -> Iterator[Used]:
        """One request of a key. Raises RateLimited; then nothing was counted.

        background: a job's picture. It leaves every place of the key to its people, and takes one that they leave.
        """
        now, limits, used = self._clock(), key.limits, Used()
        usage = self._usage.setdefault(key.id, _Usage(_burst(limits), now))
        _check_tokens(usage, limits, now)
        busy = usage.running + (usage.background if background else 0)
        if limits.concurrency is not None and busy >= limits.concurrency:
            raise RateLimited(f"This key may have {limits.concurrency} requests at a time.", 1)
        _take(usage, limits, now)
        usage.running += not background
        usage.background += background
        try:
            yield used
        finally:
            usage.running -= not background
            usage.background -= background
            if limits.tokens_per_minute is not None:
                usage.tokens.append((self._clock(), used.tokens))


def _take(usage: _Usage, limits: Limits, now: float) -> None:
    """A bucket that fills at the key's rate and holds one second's worth, at least one request."""
    rate = limits.requests_per_second
    if rate is None:
        return
    usage.allowance = min(_burst(limits), usage.allowance + (now - usage.seen) * rate)
    usage.seen = now
    if usage.allowance < 1:
        raise RateLimited(f"This key may send {rate:g} requests a second.", (1 - usage.allowance) / rate)
    usage.allowance -= 1


def _check_tokens(usage: _Usage, limits: Limits, now: float) -> None:
    most = limits.tokens_per_minute
    if most is None:
        return
    while usage.tokens and usage.tokens[0][0] <= now - _MINUTE:
        usage.tokens.popleft()
    if sum(count for _, count in usage.tokens) >= most:
        raise RateLimited(f"This key may use {most} tokens a minute.", usage.tokens[0][0] + _MINUTE - now)


def _burst(limits: Limits) -> float:
    return max(limits.requests_per_second or 1.0, 1.0)
