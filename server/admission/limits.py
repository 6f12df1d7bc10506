"""What each key has used of its limits. Time comes from outside, so that tests need not wait."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from server.admission.demand import Demand
from server.auth.keys import Key, Limits
from server.errors import BadRequest, TooMany

_MINUTE = 60.0


@dataclass(eq=False)
class Reservation:
    """What a running request holds of its key's tokens; settled, what it used."""

    time: float
    tokens: int
    settled: bool = False


@dataclass
class _Usage:
    allowance: float
    seen: float
    running: int = 0
    reservations: deque[Reservation] = field(default_factory=deque)


class Limiter:
    """Counts by key id. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._usage: dict[str, _Usage] = {}

    def arrive(self, key: Key) -> None:
        """Count a request's arrival. Raises TooMany when it comes too soon."""
        now, limits = self._clock(), key.limits
        self._take(self._of(key, now), limits, now)

    def reserve(self, key: Key, demand: Demand) -> Reservation:
        """Count in what a request asks for. Raises TooMany or BadRequest; then nothing was counted."""
        now, limits = self._clock(), key.limits
        usage, most = self._of(key, now), limits.concurrency
        if most is not None and demand.sequences > most:
            text = f"This key may have {most} answers at a time; the request asks for {demand.sequences} (prompts × n)."
            raise BadRequest(text, code="too_many_sequences")
        if most is not None and usage.running + demand.sequences > most:
            raise TooMany(f"This key may have {most} answers at a time.", 1)
        # A request alone may take a minute's tokens, however many it asks for: else it could never run.
        tokens = min(demand.tokens, limits.tokens_per_minute or demand.tokens)
        self._check_tokens(usage, limits, now, tokens)
        reservation = Reservation(now, tokens)
        if limits.tokens_per_minute is not None:
            usage.reservations.append(reservation)
        usage.running += demand.sequences
        return reservation

    def settle(self, key: Key, demand: Demand, reservation: Reservation, tokens: int) -> None:
        """Count a request out, with the tokens that it used (in and out)."""
        self._usage[key.id].running -= demand.sequences
        reservation.tokens, reservation.time, reservation.settled = tokens, self._clock(), True

    def _of(self, key: Key, now: float) -> _Usage:
        return self._usage.setdefault(key.id, _Usage(_burst(key.limits), now))

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

    def _check_tokens(self, usage: _Usage, limits: Limits, now: float, wanted: int) -> None:
        most = limits.tokens_per_minute
        if most is None:
            return
        usage.reservations = deque(r for r in usage.reservations if not r.settled or r.time > now - _MINUTE)
        used = sum(reservation.tokens for reservation in usage.reservations)
        if used and used + wanted > most:
            raise TooMany(f"This key may use {most} tokens a minute.", self._free_at(usage, used + wanted - most) - now)

    def _free_at(self, usage: _Usage, wanted: int) -> float:
        """When so many tokens leave the last minute; those of running requests are not known to, before they end."""
        freed, at = 0, self._clock() + 1
        for reservation in sorted(usage.reservations, key=lambda r: r.time):
            at = max(at, reservation.time + _MINUTE)
            freed += reservation.tokens
            if freed >= wanted:
                break
        return at


def _burst(limits: Limits) -> float:
    return max(limits.requests_per_second or 1.0, 1.0)
