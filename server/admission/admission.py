"""One object in front of the engine: limits of the key, the queue, and the account when it is over."""

import logging
from dataclasses import dataclass, field

from server.admission.account import Usage
from server.admission.demand import Demand
from server.admission.limits import Limiter, Reservation
from server.admission.queue import Queue
from server.auth.keys import Key
from server.metrics import Metrics

log = logging.getLogger("server.usage")


@dataclass(eq=False)
class Admitted:
    """The right to run; `close` gives it back, with what was used. A second call does nothing."""

    admission: "Admission"
    key: Key
    demand: Demand
    reservation: Reservation
    closed: bool = field(default=False, init=False)

    def close(self, usage: Usage, model: str, request_id: str) -> None:
        """`model`: the base or the exact revision."""
        if self.closed:
            return
        self.closed = True
        admission = self.admission
        admission.queue.leave(self.key.id, self.demand.sequences)
        admission.limiter.settle(self.key, self.demand, self.reservation, usage.total)
        if not usage.total:
            return  # it was refused before it ran
        admission.metrics.used(self.key.id, usage)
        if admission.lines:
            fields = {"request_id": request_id, "key": self.key.id, "model": model}
            tokens = {"tokens_in": usage.prompt, "tokens_out": usage.generated, "tokens_cached": usage.cached}
            log.info("usage", extra={**fields, **tokens, "tokens_broken_off": usage.broken_off})


@dataclass(frozen=True)
class Admission:
    """`lines`: whether each request's usage is logged, by the key's id."""

    limiter: Limiter
    queue: Queue
    metrics: Metrics
    lines: bool = False

    def arrive(self, key: Key) -> None:
        """A request of this key is at the door. Raises TooMany."""
        self.limiter.arrive(key)

    async def admit(self, key: Key, demand: Demand) -> Admitted:
        """Reserve what is asked for, then wait for a turn. Raises TooMany, BadRequest, Unavailable."""
        reservation = self.limiter.reserve(key, demand)
        try:
            await self.queue.enter(key.id, demand.sequences)
        except BaseException:
            self.limiter.settle(key, demand, reservation, 0)
            raise
        return Admitted(self, key, demand, reservation)
