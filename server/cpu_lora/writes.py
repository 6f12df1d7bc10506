"""Which slot of a layer was written: PyTorch's version counter says that stacked weights changed, but not which slot.

vLLM's layers write through `reset_lora` and `set_lora` only. Both are watched; a write from elsewhere shows in the
version counter and makes every slot doubtful. What is known to be clear already is not cleared again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from server.cpu_lora.patching import patch_once

_LEDGER = "cni_ledger"
Method = Callable[..., Any]


@dataclass
class Ledger:
    """Of one stacked tensor. counts: writes by slot; ranks: of what was written last, 0 where it was cleared, absent
    where nobody knows; strangers: how often a write of somebody else was seen; version: PyTorch's after the last
    write seen."""

    version: int
    strangers: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    ranks: dict[int, int] = field(default_factory=dict)


Mark = tuple[int, dict[int, int]]


def version(tensor: torch.Tensor) -> int:
    """Grows with every write to the tensor; -1 where PyTorch does not count (tensors made in inference mode)."""
    return -1 if tensor.is_inference() else tensor._version


def mark(tensor: torch.Tensor) -> Mark | None:
    """What `written` compares with later; None where a write of somebody else came last."""
    ledger = _trusted(tensor)
    return None if ledger is None else (ledger.strangers, dict(ledger.counts))


def written(tensor: torch.Tensor, before: Mark | None) -> set[int] | None:
    """The slots written since `before`; None where nobody knows."""
    ledger = _trusted(tensor)
    if ledger is None or before is None or ledger.strangers != before[0]:
        return None
    return {slot for slot, count in ledger.counts.items() if before[1].get(slot) != count}


def rank(tensor: torch.Tensor, slot: int) -> int | None:
    """The rank of what vLLM wrote last into this slot, 0 where it cleared it; None where nobody knows."""
    ledger = _trusted(tensor)
    return None if ledger is None else ledger.ranks.get(slot)


def watch() -> None:
    """Keep a ledger of every LoRA layer's writes, once."""
    from vllm.lora import layers  # heavy; imports every kind of layer
    from vllm.lora.layers.base import BaseLayerWithLoRA

    assert layers
    for kind in _kinds(BaseLayerWithLoRA):
        for name, fills in (("reset_lora", False), ("set_lora", True)):
            if name in kind.__dict__:
                patch_once(kind, name, partial(_watched, fills=fills))


def _kinds(kind: type) -> set[type]:
    children: list[type] = kind.__subclasses__()
    return {kind}.union(*map(_kinds, children))


def _watched(method: Method, fills: bool) -> Method:
    def call(self: Any, index: int, *arguments: Any, **named: Any) -> Any:
        pairs = _stacked(self)
        if not pairs:
            return method(self, index, *arguments, **named)
        if not fills and all(rank(tensor, index) == 0 for tensor, _ in pairs):
            return None  # it is clear
        for tensor, _ in pairs:
            ledger = tensor.__dict__.setdefault(_LEDGER, Ledger(version(tensor)))
            if ledger.version != version(tensor):
                ledger.strangers += 1
                ledger.ranks.clear()
            ledger.counts[index] = ledger.counts.get(index, 0) + 1
            ledger.ranks.pop(index, None)
            ledger.version = version(tensor)
        result = method(self, index, *arguments, **named)
        ranks = _ranks(arguments[0] if arguments else named.get("lora_a"), pairs[-1][1] + 1) if fills else None
        for tensor, piece in pairs:
            ledger = tensor.__dict__[_LEDGER]
            ledger.ranks.pop(index, None)
            if not fills:
                ledger.ranks[index] = 0
            elif ranks is not None:
                ledger.ranks[index] = ranks[piece]
            ledger.version = version(tensor)
        return result

    return call


def _ranks(a: Any, slices: int) -> list[int] | None:
    """Of what `set_lora` was given: A [rank, inputs], or a list of such with None for slices that are not adapted.
    None where that does not tell slice by slice (vLLM splits some matrices itself)."""
    pieces = a if isinstance(a, list | tuple) else [a]
    if len(pieces) != slices or not all(piece is None or isinstance(piece, torch.Tensor) for piece in pieces):
        return None
    return [0 if piece is None else int(piece.shape[0]) for piece in pieces]


def _stacked(layer: Any) -> list[tuple[torch.Tensor, int]]:
    """Every stacked tensor of a layer with the number of its slice."""
    found: list[tuple[torch.Tensor, int]] = []
    for name in ("lora_a_stacked", "lora_b_stacked"):
        held = getattr(layer, name, ())
        found += [(held, 0)] if isinstance(held, torch.Tensor) else [(one, piece) for piece, one in enumerate(held)]
    return found


def _trusted(tensor: torch.Tensor) -> Ledger | None:
    ledger: Ledger | None = tensor.__dict__.get(_LEDGER)
    return ledger if ledger is not None and 0 <= ledger.version == version(tensor) else None
