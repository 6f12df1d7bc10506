"""How many adapters each tier holds, from memory: slots in the batch, copies in host memory, files on disk."""

from dataclasses import dataclass

# More copies than this help nobody.
_MOST_IN_MEMORY = 1024


@dataclass(frozen=True)
class Tiers:
    """`slots`: in one batch; `memory`: loaded copies; `adapter_bytes`: upper bound of one copy."""

    slots: int
    memory: int
    adapter_bytes: int


def size_tiers(slots: int, wanted: int, adapter_bytes: int, budget: int) -> Tiers:
    """`wanted` copies in memory; 0: as many as `budget` bytes hold. `adapter_bytes`: of one at most."""
    memory = wanted or min(budget // max(adapter_bytes, 1), _MOST_IN_MEMORY)
    return Tiers(slots, max(memory, slots), adapter_bytes)
