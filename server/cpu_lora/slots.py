"""What a slot holds: lets a product skip slices that an adapter lacks and ranks that are padding.

vLLM stacks adapters in zero-filled tensors of the largest rank. The rank in use is found once after a slot was written;
PyTorch's version counter of the stacked tensors says that something was written, whoever did (load, eviction, in-place
reload), and `writes` which slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from server.cpu_lora import writes

Stacked = tuple[torch.Tensor, ...]


@dataclass
class SlotWeights:
    """One adapter's part of one slice: a [rank, inputs] (None for embeddings), b [outputs, rank]: views, not copies."""

    rank: int
    a: torch.Tensor | None
    b: torch.Tensor
    _b_transposed: torch.Tensor | None = None

    @property
    def b_transposed(self) -> torch.Tensor:
        """B as the kernel reads it, [rank, outputs]: copied once per load of an adapter, when first asked for."""
        if self._b_transposed is None:
            self._b_transposed = self.b.t().contiguous()
        return self._b_transposed


@dataclass
class Part:
    """One slice of a slot that adds something, the layer's `piece`th: `size` columns of the output from `offset` on."""

    weights: SlotWeights
    piece: int
    offset: int
    size: int


@dataclass
class _Seen:
    """What is known of some stacked tensors; holds them so that their ids stay theirs."""

    held: object
    versions: tuple[int, ...]
    marks: tuple[writes.Mark | None, ...]
    slots: dict[int, Any] = field(default_factory=dict)


class Slots:
    """A cache of what the slots hold, one instance a wrapper (one model)."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, ...], _Seen] = {}

    def weights(self, a: torch.Tensor | None, b: torch.Tensor, slot: int) -> SlotWeights:
        """What `slot` holds; its rank is 0 where the adapter does not have this module.

        a: [slots, 1, rank, inputs], or None where only B tells (embeddings); b: [slots, 1, outputs, rank].
        """
        known = self._known((id(a), id(b)), (a, b), (b,) if a is None else (a, b))
        if known is None:
            return _weights(a, b, slot, b.shape[-1])  # nothing to trust: multiply everything, which is right if slower
        if slot not in known:
            told = writes.rank(b, slot)
            known[slot] = _weights(a, b, slot, _used_rank(a, b, slot) if told is None else told)
        found: SlotWeights = known[slot]
        return found

    def parts(self, a: Stacked, b: Stacked, sizes: tuple[int, ...], slots: Sequence[int]) -> list[tuple[Part, ...]]:
        """What each of `slots` adds to a layer of several slices; shapes as in `reference.linear`."""
        # vLLM's layers clear every slice of a slot before they fill any, so the first and the last tell of all.
        known = self._known((id(a),), (a, b), (a[0], b[-1]))
        found = []
        for slot in slots:
            parts = None if known is None else known.get(slot)
            if parts is None:
                parts = self._make_parts(a, b, sizes, slot)
                if known is not None:
                    known[slot] = parts
            found.append(parts)
        return found

    def _make_parts(self, a: Stacked, b: Stacked, sizes: tuple[int, ...], slot: int) -> tuple[Part, ...]:
        made, offset = [], 0
        for piece, (one_a, one_b, size) in enumerate(zip(a, b, sizes, strict=True)):
            weights = self.weights(one_a, one_b, slot)
            if weights.rank:
                made.append(Part(weights, piece, offset, size))
            offset += size
        return tuple(made)

    def _known(self, key: tuple[int, ...], held: object, watched: Stacked) -> dict[int, Any] | None:
        """What is known and still true, by slot; None where nothing tells when the tensors change."""
        versions = tuple(writes.version(tensor) for tensor in watched)
        if min(versions) < 0:
            return None
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen(held, versions, tuple(map(writes.mark, watched)))
        elif seen.versions != versions:
            for tensor, before in zip(watched, seen.marks, strict=True):
                slots = writes.written(tensor, before)
                for slot in list(seen.slots) if slots is None else slots:
                    seen.slots.pop(slot, None)
            seen.versions, seen.marks = versions, tuple(map(writes.mark, watched))
        return seen.slots


def _weights(a: torch.Tensor | None, b: torch.Tensor, slot: int, rank: int) -> SlotWeights:
    return SlotWeights(rank, None if a is None else a[slot, 0, :rank], b[slot, 0, :, :rank])


def _used_rank(a: torch.Tensor | None, b: torch.Tensor, slot: int) -> int:
    used = (b[slot].reshape(-1, b.shape[-1]) != 0).any(dim=0)
    if a is not None:
        used = used & (a[slot].reshape(-1, a.shape[-1]) != 0).any(dim=1)
    filled = torch.nonzero(used)
    return int(filled[-1]) + 1 if filled.numel() else 0
