"""What each key has used of its limits. Time comes from outside, so that tests need not wait."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from server.auth.keys import Key, Limits
from server.errors import TooMany

_MINUTE = 60.0


@dataclass
class _Usage:
    allowance: float
    seen: float
    running: int = 0
    tokens: deque[tuple[float, int]] = field(default_factory=deque)


class Limiter:
    """Counts by key id. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._usage: dict[str, _Usage] = {}

    def start(self, key: Key) -> None:
        """Count a request in. Raises TooMany; then nothing was counted."""
        now, limits = self._clock(), key.limits
        usage = self._usage.setdefault(key.id, _Usage(_burst(limits), now))
        self._check_tokens(usage, limits, now)
        if limits.concurrency is not None and usage.running >= limits.concurrency:
            raise TooMany(f"This key may have {limits.concurrency} requests at a time.", 1)
        self._take(usage, limits, now)
        usage.running += 1

    def finish(self, key: Key, tokens: int) -> None:
        """Count a request out, with the tokens that it used (in and out)."""
        usage = self._usage[key.id]
        usage.running -= 1
        if key.limits.tokens_per_minute is not None:
            usage.tokens.append((self._clock(), tokens))

    def _take(self, usage: _Usage, limits: Limits, now: float) -> None:
        """A bucket that fills at the key's rate and holds one second's worth, at least one request."""
        rate = limits.requests_per_second
        if rate is None:
            return
        usage.allowance = min(_burst(limits), usage.allowance + (now - usage.seen) * rate)
        usage.seen = now
        if usage.allowance < 1:
            raise TooMany(f"This key may send {rate:g} requests a second.", (1 - usage.allowance) / rate)
        usage.allowance -= 1

    def _check_tokens(self, usage: _Usage, limits: Limits, now: float) -> None:
        most = limits.tokens_per_minute
        if most is None:
            return
        while usage.tokens and usage.tokens[0][0] <= now - _MINUTE:
            usage.tokens.popleft()
        if sum(count for _, count in usage.tokens) >= most:
            raise TooMany(f"This key may use {most} tokens a minute.", usage.tokens[0][0] + _MINUTE - now)


def _burst(limits: Limits) -> float:
    return max(limits.requests_per_second or 1.0, 1.0)
