"""How many adapters each tier holds, from memory: slots in the batch, copies in host memory, files on disk."""

from dataclasses import dataclass

# Adapters may take a tenth of the memory at hand; more copies than this help nobody.
_MEMORY_SHARE = 0.1
_MOST_IN_MEMORY = 1024


@dataclass(frozen=True)
class Tiers:
    """`slots`: in one batch; `memory`: loaded copies; `adapter_bytes`: upper bound of one copy."""

    slots: int
    memory: int
    adapter_bytes: int


def size_tiers(slots: int, wanted: int, adapter_bytes: int, available: int) -> Tiers:
    """`wanted` copies in memory; 0 lets the memory decide. `available`, `adapter_bytes`: bytes."""
    fitting = int(available * _MEMORY_SHARE / max(adapter_bytes, 1))
    memory = wanted or min(fitting, _MOST_IN_MEMORY)
    return Tiers(slots, max(memory, slots), adapter_bytes)
