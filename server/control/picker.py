"""Which revision of a split answers: by weight, always the same one for one user. Pure."""

import hashlib
from collections.abc import Callable

from adapters.registry.state import Weights


def pick(weights: Weights, adapter: str, user: str | None, random: Callable[[], float]) -> str:
    """A revision of `weights` (not empty, positive). `random` gives a number in [0, 1) where there is no user."""
    point = _fraction(adapter, user) if user else random()
    total = sum(weights.values())
    reached = 0.0
    for revision, weight in sorted(weights.items()):
        reached += weight / total
        if point < reached:
            return revision
    return max(weights)  # rounding left a sliver at the end


def _fraction(adapter: str, user: str) -> float:
    """A user's fixed place in [0, 1), another one for each adapter. The user's name itself is kept nowhere."""
    digest = hashlib.sha256(f"{adapter}\0{user}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
