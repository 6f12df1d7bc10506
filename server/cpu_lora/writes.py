"""Which slot of a layer was written: PyTorch's version counter says that stacked weights changed, but not which slot.

vLLM's layers write through `reset_lora` and `set_lora` only. Both are watched; a write from elsewhere shows in the
version counter and makes every slot doubtful.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

_LEDGER = "cni_ledger"
Method = Callable[..., Any]


@dataclass
class Ledger:
    """Of one stacked tensor. counts: writes by slot; empty: slots that were reset and not set since; strangers:
    how often a write of somebody else was seen; version: PyTorch's after the last write seen."""

    version: int
    strangers: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    empty: set[int] = field(default_factory=set)


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


def is_empty(tensor: torch.Tensor, slot: int) -> bool:
    """Whether vLLM cleared this slot and left it so: the slot's adapter lacks the layer, or there is none."""
    ledger = _trusted(tensor)
    return ledger is not None and slot in ledger.empty


def watch() -> None:
    """Keep a ledger of every LoRA layer's writes, once."""
    from vllm.lora import layers  # heavy; imports every kind of layer
    from vllm.lora.layers.base import BaseLayerWithLoRA

    assert layers
    for kind in _kinds(BaseLayerWithLoRA):
        for name, fills in (("reset_lora", False), ("set_lora", True)):
            method = kind.__dict__.get(name)
            if method is not None and not getattr(method, "is_cni_watched", False):
                setattr(kind, name, _watched(method, fills))


def _kinds(kind: type) -> set[type]:
    children: list[type] = kind.__subclasses__()
    return {kind}.union(*map(_kinds, children))


def _watched(method: Method, fills: bool) -> Method:
    def call(self: Any, index: int, *arguments: Any, **named: Any) -> Any:
        tensors = _stacked(self)
        for tensor in tensors:
            ledger = tensor.__dict__.setdefault(_LEDGER, Ledger(version(tensor)))
            if ledger.version != version(tensor):
                ledger.strangers += 1
                ledger.empty.clear()
            ledger.counts[index] = ledger.counts.get(index, 0) + 1
            ledger.version = version(tensor)
        result = method(self, index, *arguments, **named)
        for tensor in tensors:
            ledger = tensor.__dict__[_LEDGER]
            (ledger.empty.discard if fills else ledger.empty.add)(index)
            ledger.version = version(tensor)
        return result

    call.is_cni_watched = True  # type: ignore[attr-defined]
    return call


def _stacked(layer: Any) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for name in ("lora_a_stacked", "lora_b_stacked"):
        held = getattr(layer, name, ())
        found += [held] if isinstance(held, torch.Tensor) else held
    return found


def _trusted(tensor: torch.Tensor) -> Ledger | None:
    ledger: Ledger | None = tensor.__dict__.get(_LEDGER)
    return ledger if ledger is not None and 0 <= ledger.version == version(tensor) else None
