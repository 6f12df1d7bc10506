"""How many adapters each tier holds, from memory: slots in the batch, copies in host memory, files on disk."""

from dataclasses import dataclass

# More copies than this help nobody: the engine looks through them.
_MOST_IN_MEMORY = 1024
# Beside its weights a copy has names, shapes and an allocator's rounding.
_BESIDE = 1 / 8
# Free memory that is left to others: as much as was planned for adapters (a tenth of all), but no more than this. And
# how fast the adapters' part follows what is free.
_MOST_LEFT, _STEP = 2 << 30, 1 / 8
# Of what was planned at the start: as much as this where nobody else wants the memory.
_GROWTH = 4


@dataclass(frozen=True)
class Room:
    """For adapters in host memory: `most` of them, of `bytes` together (0: only their number counts).

    `largest`: bytes of one that has every layer at the largest rank.
    """

    most: int
    bytes: int = 0
    largest: int = 0

    @property
    def surely(self) -> int:
        """How many there is room for, however large they are."""
        return min(self.most, max(self.bytes // max(self.largest, 1), 1)) if self.bytes else self.most

    def charge(self, size: int) -> int:
        """Bytes that an adapter takes whose weights take `size` on disk. Float32 is kept in half of that."""
        return int(min(size, self.largest or size) * (1 + _BESIDE))


@dataclass(frozen=True)
class Tiers:
    """`slots`: in one batch; `room`: for loaded copies; `adapter_bytes`: upper bound of one copy."""

    slots: int
    room: Room
    adapter_bytes: int


def size_tiers(slots: int, wanted: int, adapter_bytes: int, budget: int) -> Tiers:
    """`wanted` copies in memory; 0: as many as `budget` bytes hold, each with its own size."""
    if wanted:
        return Tiers(slots, Room(max(wanted, slots), 0, adapter_bytes), adapter_bytes)
    least = int(slots * adapter_bytes * (1 + _BESIDE))
    return Tiers(slots, Room(max(_MOST_IN_MEMORY, slots), max(budget, least, 1), adapter_bytes), adapter_bytes)


def follow(planned: Tiers, now: Room, free: int) -> Room:
    """The adapters' room after a look at the memory: a little more while much is free, a little less where it is not.

    `free`: bytes that nobody uses. Never less than the slots need, never more than a few times what was planned.
    """
    if not planned.room.bytes:
        return now  # an operator has said how many
    spare = free - min(planned.room.bytes, _MOST_LEFT)
    step = int(now.bytes * _STEP)
    least = int(planned.slots * planned.adapter_bytes * (1 + _BESIDE))
    wanted = now.bytes + max(-step, min(step, spare))
    return Room(now.most, max(least, min(wanted, planned.room.bytes * _GROWTH), 1), now.largest)
