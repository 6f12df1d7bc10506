"""The LoRA wrapper that vLLM's layers call on a CPU: one product per active adapter instead of one copy per token.

vLLM's own `PunicaWrapperCPU` gathers each token's whole matrix (`weights[indices]`) and lets index -1, which stands for
the base model, select the last slot. Here rows are grouped by adapter once per step and base rows are in no group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

from server.cpu_lora import products
from server.cpu_lora.groups import RowGroups, every_row, group_rows
from server.cpu_lora.ranks import SlotRanks

if TYPE_CHECKING:
    from vllm.lora.layers import LoRAMapping

Slices = tuple[torch.Tensor, ...]


class GroupedPunicaWrapper(PunicaWrapperCPU):  # type: ignore[misc]  # vLLM's classes are untyped to us
    """vLLM's wrapper contract (punica_base.py, 0.32); shapes as in `reference.linear`."""

    def __init__(self, max_num_batched_tokens: int, max_batches: int, device: torch.device | str, **kwargs: Any):
        super().__init__(max_num_batched_tokens, max_batches, device, **kwargs)
        self._ranks = SlotRanks()
        self._tokens = RowGroups(0, ())
        self._samples = RowGroups(0, ())

    def update_metadata(
        self,
        mapping: LoRAMapping,
        lora_index_to_id: list[int | None],
        max_loras: int,
        vocab_size: int,
        **kwargs: Any,
    ) -> None:
        """Called by the LoRA manager whenever the batch's rows or the slots' owners change."""
        self._update_base_metadata(mapping, lora_index_to_id, max_loras, vocab_size)
        self.is_prefill = mapping.is_prefill
        self._tokens = group_rows(self.token_lora_indices.numpy())
        self._samples = group_rows(self.sampler_indices.numpy())
        self.no_lora = not self._tokens

    def add_lora_linear(  # noqa: PLR0917  # vLLM's signature, as below
        self,
        y: torch.Tensor,
        x: torch.Tensor,
        lora_a_stacked: Slices,
        lora_b_stacked: Slices,
        scale: float,
        output_slices: tuple[int, ...],
        *,
        buffer: Slices | None = None,
        **kwargs: Any,
    ) -> None:
        """y [rows, outputs] += every adapter row's product, slice by slice; `buffer` is not needed and not used."""
        if not self._tokens:
            return
        y, x = _flat(y), _flat(x)
        add = bool(kwargs.get("add_inputs", True))
        for group in self._tokens.within(x.shape[0]):
            taken: torch.Tensor | None = None
            offset = 0
            for a, b, size in zip(lora_a_stacked, lora_b_stacked, output_slices, strict=True):
                rank = self._ranks.rank(a, b, group.slot)
                target = y.narrow(1, offset, size)
                offset += size
                if rank:
                    taken = products.rows_of(x, group) if taken is None else taken
                    low = products.shrink(taken, a[group.slot, 0], rank, scale)
                    products.expand(target, group, low, b[group.slot, 0], add)
                elif not add:
                    target.index_fill_(0, group.rows, 0)

    def add_shrink(
        self,
        y: Slices | torch.Tensor,
        x: torch.Tensor,
        lora_a_stacked: Slices,
        scale: float,
        **kwargs: Any,
    ) -> None:
        """y[slice] [rows, rank] = x A for adapter rows; fully sharded layers call this, then `add_expand`."""
        x = _flat(x)
        for group in self._tokens.within(x.shape[0]):
            taken = products.rows_of(x, group)
            for part, a in zip(y, lora_a_stacked, strict=True):
                low = products.shrink(taken, a[group.slot, 0], a.shape[-2], scale)
                part.view(-1, part.shape[-1]).index_copy_(0, group.rows, low.to(part.dtype))

    def add_expand(  # noqa: PLR0917
        self,
        y: torch.Tensor,
        x: Slices | torch.Tensor,
        lora_b_stacked: Slices,
        output_slices: tuple[int, ...],
        offset_start: int = 0,
        add_inputs: bool = True,
        **kwargs: Any,
    ) -> None:
        """y's slice [rows, size] from `offset_start` on += x[slice] B for adapter rows."""
        y = _flat(y)
        for group in self._tokens.within(y.shape[0]):
            offset = offset_start
            for part, b, size in zip(x, lora_b_stacked, output_slices, strict=True):
                low = products.rows_of(_flat(part), group)
                products.expand(y.narrow(1, offset, size), group, low, b[group.slot, 0], add_inputs)
                offset += size

    def add_lora_embedding(
        self,
        y: torch.Tensor,
        x: torch.Tensor,
        lora_b_stacked: torch.Tensor,
        add_inputs: bool = True,
        **kwargs: Any,
    ) -> None:
        """y [rows, hidden] += x [rows, rank] B; x already holds each token's row of its adapter's A."""
        for group in self._tokens.within(y.shape[0]):
            rank = self._ranks.rank(None, lora_b_stacked, group.slot)
            if rank:
                low = products.rows_of(x, group).narrow(1, 0, rank)
                products.expand(y, group, low, lora_b_stacked[group.slot, 0], add_inputs)

    def add_lora_logits(
        self,
        y: torch.Tensor,
        x: torch.Tensor,
        lora_a_stacked: torch.Tensor,
        lora_b_stacked: torch.Tensor,
        scale: float,
        *,
        buffer: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        """y [samples, >= vocabulary] += x A B by the rows that are sampled, not by the step's tokens."""
        y, x = _flat(y), _flat(x)
        for group in self._sampled(x.shape[0]):
            rank = self._ranks.rank(lora_a_stacked, lora_b_stacked, group.slot)
            if rank:
                low = products.shrink(products.rows_of(x, group), lora_a_stacked[group.slot, 0], rank, scale)
                # The vocabulary may be padded on either side, by different amounts.
                width = min(y.shape[1], lora_b_stacked.shape[-2])
                products.expand(y.narrow(1, 0, width), group, low, lora_b_stacked[group.slot, 0, :width], True)

    def _sampled(self, rows: int) -> RowGroups:
        """Groups of the rows whose logits are wanted: more rows than samples means one request's prompt logprobs."""
        sole = self._samples.sole_slot()
        if rows > self._samples.total and sole is not None:
            return every_row(sole, rows)
        return self._samples.within(rows)


def _flat(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.view(-1, tensor.shape[-1])
