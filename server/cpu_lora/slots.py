"""What a slot holds: lets a product skip slices that an adapter lacks and ranks that are padding.

vLLM stacks adapters in zero-filled tensors of the largest rank. The rank in use is found once after a slot was written;
PyTorch's version counter of the stacked tensors says when that was, whoever wrote it (load, eviction, in-place reload).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


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
class _Seen:
    """What is known of one pair of stacked tensors; holds the tensors so that their ids stay theirs."""

    pair: tuple[torch.Tensor | None, torch.Tensor]
    versions: tuple[int, int]
    slots: dict[int, SlotWeights] = field(default_factory=dict)


class Slots:
    """A cache of what the slots hold, one instance a wrapper (one model)."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], _Seen] = {}

    def weights(self, a: torch.Tensor | None, b: torch.Tensor, slot: int) -> SlotWeights:
        """What `slot` holds; its rank is 0 where the adapter does not have this module.

        a: [slots, 1, rank, inputs], or None where only B tells (embeddings); b: [slots, 1, outputs, rank].
        """
        versions = (0 if a is None else version(a), version(b))
        if min(versions) < 0:
            return _weights(a, b, slot, b.shape[-1])  # nothing to trust: multiply everything, which is right if slower
        key = (id(a), id(b))
        seen = self._seen.get(key)
        if seen is None or seen.versions != versions:
            seen = self._seen[key] = _Seen((a, b), versions)
        known = seen.slots.get(slot)
        if known is None:
            known = seen.slots[slot] = _weights(a, b, slot, _used_rank(a, b, slot))
        return known


def version(tensor: torch.Tensor) -> int:
    """Grows with every write to the tensor; -1 where PyTorch does not count (tensors made in inference mode)."""
    return -1 if tensor.is_inference() else tensor._version


def _weights(a: torch.Tensor | None, b: torch.Tensor, slot: int, rank: int) -> SlotWeights:
    return SlotWeights(rank, None if a is None else a[slot, 0, :rank], b[slot, 0, :, :rank])


def _used_rank(a: torch.Tensor | None, b: torch.Tensor, slot: int) -> int:
    used = (b[slot].reshape(-1, b.shape[-1]) != 0).any(dim=0)
    if a is not None:
        used = used & (a[slot].reshape(-1, a.shape[-1]) != 0).any(dim=1)
    filled = torch.nonzero(used)
    return int(filled[-1]) + 1 if filled.numel() else 0
