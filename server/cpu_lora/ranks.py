"""How much of a slot an adapter fills: lets a product skip slices that it lacks and ranks that are padding.

vLLM stacks adapters in zero-filled tensors of the largest rank. The rank in use is found once after a slot was written;
PyTorch's version counter of the stacked tensor says when that was, whoever wrote it (load, eviction, in-place reload).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass
class _Seen:
    """What is known of one pair of stacked tensors; holds the tensors so that their ids stay theirs."""

    a: torch.Tensor | None
    b: torch.Tensor
    versions: tuple[int, int]
    ranks: dict[int, int] = field(default_factory=dict)


class SlotRanks:
    """A cache of ranks in use, one instance a wrapper (one model)."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], _Seen] = {}

    def rank(self, a: torch.Tensor | None, b: torch.Tensor, slot: int) -> int:
        """The rank that `slot` uses, 0 where the adapter does not have this module.

        a: [slots, 1, rank, inputs], or None where only B tells (embeddings); b: [slots, 1, outputs, rank].
        """
        if b.is_inference() or (a is not None and a.is_inference()):
            return int(b.shape[-1])  # no version counter to trust: multiply everything, which is right if slower
        key = (id(a), id(b))
        versions = (a._version if a is not None else 0, b._version)
        seen = self._seen.get(key)
        if seen is None or seen.versions != versions:
            seen = self._seen[key] = _Seen(a, b, versions)
        known = seen.ranks.get(slot)
        if known is None:
            known = seen.ranks[slot] = _used_rank(a, b, slot)
        return known


def _used_rank(a: torch.Tensor | None, b: torch.Tensor, slot: int) -> int:
    used = (b[slot].reshape(-1, b.shape[-1]) != 0).any(dim=0)
    if a is not None:
        used = used & (a[slot].reshape(-1, a.shape[-1]) != 0).any(dim=1)
    filled = torch.nonzero(used)
    return int(filled[-1]) + 1 if filled.numel() else 0
