"""Memory bandwidth, measured: the floor under every decoded token is the weights' bytes over it."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_BYTES = 256 << 20  # far above any cache that two cores share
_EACH = 64 << 20  # at least for a core: many cores' caches together are large
_ROUNDS = 7


def read_bandwidth(cores: int) -> float:
    """Bytes a second that `cores` threads read together: the best of some rounds over memory larger than the caches."""
    part = np.ones(max(_BYTES // cores, _EACH) // 8, dtype=np.float64)
    parts = [part.copy() for _ in range(cores)]
    total = sum(each.nbytes for each in parts)
    with ThreadPoolExecutor(cores) as pool:
        return max(_timed(pool, parts, total) for _ in range(_ROUNDS))


def _timed(pool: ThreadPoolExecutor, parts: list["np.ndarray[tuple[int], np.dtype[np.float64]]"], total: int) -> float:
    begun = time.perf_counter()
    list(pool.map(np.max, parts))
    return total / (time.perf_counter() - begun)
