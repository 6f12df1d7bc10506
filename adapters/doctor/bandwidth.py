"""Memory bandwidth, measured: the floor under every decoded token is the weights' bytes over it."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from adapters.cgroup import available_memory

_BYTES = 256 << 20  # far above any cache that two cores share
_EACH = 64 << 20  # at least for a core: many cores' caches together are large
_MOST = 2 << 30  # of all cores together: above the caches of any machine, and no burden to it
_ROUNDS = 7


def read_bandwidth(cores: int) -> float:
    """Bytes a second that `cores` threads read together: the best of some rounds over memory larger than the caches."""
    count = bytes_a_core(cores, available_memory()) // 8
    parts = [np.ones(count, dtype=np.float64) for _ in range(cores)]
    total = sum(each.nbytes for each in parts)
    with ThreadPoolExecutor(cores) as pool:
        return max(_timed(pool, parts, total) for _ in range(_ROUNDS))


def bytes_a_core(cores: int, free: int) -> int:
    """How much memory each core reads, where `free` bytes are free: a quarter of those at most, all cores together."""
    return max(8, min(max(_BYTES // cores, _EACH), min(_MOST, free // 4) // cores))


def _timed(pool: ThreadPoolExecutor, parts: list["np.ndarray[tuple[int], np.dtype[np.float64]]"], total: int) -> float:
    begun = time.perf_counter()
    list(pool.map(np.max, parts))
    return total / (time.perf_counter() - begun)
