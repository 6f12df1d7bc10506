"""What a load run's replies come to."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_HONEST = (429, 503)
_SETTLED = 0.2  # the share of the run after which memory is looked at for growth


@dataclass(frozen=True, slots=True)
class Reply:
    """One request: when it was sent and answered (seconds), its status (0: none), its error's code or type."""

    sent: float
    answered: float
    status: int
    code: str
    retry_after: str | None
    key: str = ""

    @property
    def honest(self) -> bool:
        """An answer, or a refusal that says when to come back."""
        return self.status == 200 or (self.status in _HONEST and self.retry_after is not None)


def report(
    replies: Sequence[Reply], memory: Sequence[tuple[float, float]], killed: float | None, back: float | None
) -> dict[str, Any]:
    """Counts, latencies around the accident, recovery, memory (MiB over seconds)."""
    answered = [reply for reply in replies if reply.status == 200]
    return {
        "requests": len(replies),
        "replies": dict(Counter(f"{reply.status} {reply.code}".strip() for reply in replies)),
        "dishonest": sum(not reply.honest for reply in replies),
        "seconds_before": _latencies([one for one in answered if killed is None or one.answered < killed]),
        "seconds_after": _latencies([one for one in answered if back is not None and one.sent > back]),
        "keys": _keys(answered),
        "accident": _accident(replies, killed, back),
        "memory": _memory(memory),
    }


def _keys(answered: Sequence[Reply]) -> dict[str, dict[str, float]]:
    """Latencies of each key's cards, where clients have keys."""
    keys = sorted({reply.key for reply in answered} - {""})
    return {key: _latencies([reply for reply in answered if reply.key == key]) for key in keys}


def _latencies(answered: Sequence[Reply]) -> dict[str, float]:
    times = sorted(reply.answered - reply.sent for reply in answered)
    if not times:
        return {"count": 0}
    quantile = {
        name: times[min(len(times) - 1, int(part * len(times)))] for name, part in (("p95", 0.95), ("p99", 0.99))
    }
    return {"count": len(times), "p50": round(statistics.median(times), 3)} | {
        name: round(value, 3) for name, value in quantile.items()
    }


def _accident(replies: Sequence[Reply], killed: float | None, back: float | None) -> dict[str, Any]:
    """What became of the requests that were inside when the server was killed, and how soon cards were read again."""
    if killed is None or back is None:
        return {}
    inside = [reply for reply in replies if reply.sent < killed < reply.answered]
    first = min((reply.answered for reply in replies if reply.status == 200 and reply.answered > back), default=None)
    failed_later = [
        reply.answered - back for reply in replies if reply.code == "model_server_away" and reply.sent > back
    ]
    return {
        "killed_at": round(killed, 1),
        "ready_again_at": round(back, 1),
        "inside": dict(Counter(f"{reply.status} {reply.code}".strip() for reply in inside)),
        "seconds_from_ready_to_first_card": None if first is None else round(first - back, 2),
        "last_503_of_it_after_ready": round(max(failed_later, default=0.0), 2),
    }


def _memory(samples: Sequence[tuple[float, float]]) -> dict[str, float]:
    settled = [sample for sample in samples if sample[0] >= _SETTLED * samples[-1][0]]
    slope = statistics.linear_regression(*zip(*settled, strict=True)).slope if len(settled) > 1 else 0.0
    return {
        "mib_at_start": samples[0][1],
        "mib_at_end": samples[-1][1],
        "mib_most": max(size for _, size in samples),
        "mib_per_minute": round(slope * 60, 3),
    }
