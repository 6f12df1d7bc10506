"""An adapter goes into a slot by lending its weights to it: on a CPU they lie in memory that the kernel reads anyway.

vLLM writes every layer's zeros and weights into the slot's stacked tensors, 240 tensors for a model of 30 layers. Here
an adapter of linear layers is put in the kernel's order once, when it first goes into a slot, and a slot then costs one
row of the table. Whatever else an adapter has (embedding, head, a sharded layer) goes vLLM's way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from server.cpu_lora.batch import Layer, Parts, Rows, fits
from server.cpu_lora.slots import Part, SlotWeights
from server.cpu_lora.table import Table
from server.cpu_lora.wrapper import GroupedPunicaWrapper

_LOAN = "cni_loan"
_LINE = 32
"""Numbers of bfloat16 in a cache line, where every matrix begins."""

Pair = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Loan:
    """An adapter in the kernel's order: its `row` of a table, and what it adds by a layer's first column."""

    row: Rows
    parts: Parts


class Lender:
    """Of one LoRA manager (vLLM's `LoRAModelManager`, 0.32)."""

    def __init__(self, manager: Any) -> None:
        modules = manager.modules
        self.layers: dict[str, Layer] = {}
        self.others = [module for module in modules.values() if not _is_linear(module)]
        self.table = _table(manager)
        if self.table is not None:
            linear = {name: module for name, module in modules.items() if _is_linear(module)}
            for name, one in linear.items():
                self.layers[name] = self.table.layer(one.lora_a_stacked, one.lora_b_stacked, one.output_slices)

    def lend(self, adapter: Any, slot: int, weights_of: Callable[[Any, str], Any]) -> bool:
        """Let `slot` hold what `adapter` (a `LoRAModel`) holds; False where vLLM has to write it."""
        if self.table is None:
            return False
        loan = adapter.__dict__.get(_LOAN)
        if loan is None:
            loan = adapter.__dict__[_LOAN] = self._prepare(adapter, weights_of) or ()
        if not loan:
            return False
        for module in self.others:
            module.reset_lora(slot)
        self.table.lend(slot, loan.row, loan.parts)
        return True

    def take_back(self, slot: int) -> None:
        """The slot holds what vLLM wrote and will write into it, and nothing of the lender's is kept for it."""
        if self.table is not None:
            self.table.take_back(slot)

    def _prepare(self, adapter: Any, weights_of: Callable[[Any, str], Any]) -> Loan | None:
        assert self.table is not None
        if adapter.modules_to_save:
            return None
        found: list[tuple[Layer, Any, list[Pair | None]]] = []
        for name in adapter.loras:
            layer, weights = self.layers.get(name), weights_of(adapter, name)
            pairs = None if layer is None or not weights else _pairs(weights, layer)
            if layer is None or pairs is None:
                return None
            found.append((layer, weights, pairs))
        sizes = [_room(one) for _, _, pairs in found for pair in pairs if pair for one in pair]
        pieces = iter(torch.split(torch.empty(sum(sizes), dtype=torch.bfloat16), sizes))
        parts = {layer.first: _moved(weights, pairs, layer, pieces) for layer, weights, pairs in found}
        return Loan(self.table.row_of(parts), parts)


def _is_linear(module: Any) -> bool:
    from vllm.lora.layers.base_linear import BaseLinearLayerWithLoRA  # heavy

    return isinstance(module, BaseLinearLayerWithLoRA)


def _table(manager: Any) -> Table | None:
    """The one table of all layers; None where there is none or something else than the kernel reads them."""
    from vllm.lora.layers import ClassificationHeadWithLoRA  # heavy

    modules = list(manager.modules.values())
    wrappers = {id(module.punica_wrapper): module.punica_wrapper for module in modules}
    if len(wrappers) != 1 or manager.lora_config.fully_sharded_loras:
        return None
    (wrapper,) = wrappers.values()
    if type(wrapper) is not GroupedPunicaWrapper or not wrapper.has_kernel:
        return None
    if any(_is_linear(module) and module.tp_size > 1 for module in modules):
        return None
    return None if any(isinstance(module, ClassificationHeadWithLoRA) for module in modules) else wrapper.table


def _pairs(weights: Any, layer: Layer) -> list[Pair | None] | None:
    """A [rank, inputs] and B [outputs, rank] slice by slice, None for one that is not adapted; None where vLLM's layer
    would split matrices first or the kernel cannot multiply them."""
    packed = isinstance(weights.lora_a, list)
    sides = (weights.lora_a, weights.lora_b) if packed else ([weights.lora_a], [weights.lora_b])
    if any(len(side) != len(layer.sizes) for side in sides):
        return None
    pairs = [None if a is None or b is None else (a, b) for a, b in zip(*sides, strict=True)]
    for pair, stacked, size in zip(pairs, layer.a, layer.sizes, strict=True):
        if pair is None:
            continue
        (rank, inputs), (outputs, rank_of_b) = pair[0].shape, pair[1].shape
        if (inputs, outputs, rank_of_b) != (stacked.shape[-1], size, rank) or rank > stacked.shape[-2]:
            return None
        if not fits(Part(SlotWeights(rank, pair[0], pair[1]), 0, 0, size)):
            return None
    return pairs


def _room(matrix: torch.Tensor) -> int:
    return -(-matrix.numel() // _LINE) * _LINE


def _moved(weights: Any, pairs: list[Pair | None], layer: Layer, pieces: Iterator[torch.Tensor]) -> tuple[Part, ...]:
    """The layer's parts, copied into `pieces`, which vLLM's object has views of from now on instead of its own."""
    parts, offset, views = list[Part](), 0, list[Pair | None]()
    for piece, (pair, size) in enumerate(zip(pairs, layer.sizes, strict=True)):
        views.append(None)
        if pair is not None:
            rank = pair[0].shape[0]
            a = next(pieces)[: pair[0].numel()].view(pair[0].shape).copy_(pair[0])
            transposed = next(pieces)[: pair[1].numel()].view(rank, size).copy_(pair[1].t())
            views[-1] = (a, transposed.t())
            parts.append(Part(SlotWeights(rank, a, transposed.t(), transposed), piece, offset, size))
        offset += size
    a_views, b_views = ([None if view is None else view[side] for view in views] for side in (0, 1))
    packed = isinstance(weights.lora_a, list)
    weights.lora_a, weights.lora_b = (a_views, b_views) if packed else (a_views[0], b_views[0])
    return tuple(parts)
