"""The LoRA wrapper that vLLM's layers call on a CPU: one product per active adapter instead of one copy per token.

vLLM's own `PunicaWrapperCPU` gathers each token's whole matrix (`weights[indices]`) and lets index -1, which stands for
the base model, select the last slot. Here rows are grouped by adapter once per step and base rows are in no group.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

from server.cpu_lora import products
from server.cpu_lora.batch import Work
from server.cpu_lora.groups import NO_GROUPS, RowGroups, every_row, group_rows
from server.cpu_lora.kernel import load_kernel
from server.cpu_lora.settings import read_settings
from server.cpu_lora.slots import Slots
from server.cpu_lora.table import Table

if TYPE_CHECKING:
    from vllm.lora.layers import LoRAMapping

Slices = tuple[torch.Tensor, ...]


class GroupedPunicaWrapper(PunicaWrapperCPU):  # type: ignore[misc]  # vLLM's classes are untyped to us
    """vLLM's wrapper contract (punica_base.py, 0.32); shapes as in `reference.linear`."""

    def __init__(self, max_num_batched_tokens: int, max_batches: int, device: torch.device | str, **kwargs: Any):
        super().__init__(max_num_batched_tokens, max_batches, device, **kwargs)
        self._slots = Slots()
        self._kernel = load_kernel(read_settings(os.environ).kernel)
        self.table = Table(self._slots)
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

    def add_lora_linear(  # vLLM's signature, as below
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
        if not kwargs.get("add_inputs", True):
            for group in self._tokens.within(x.shape[0]):
                y.index_fill_(0, group.rows, 0)
        fast = (
            self._kernel is not None
            and scale == 1.0
            and x.dtype == y.dtype == torch.bfloat16
            and x.stride(1) == y.stride(1) == 1
        )
        work = self._work(lora_a_stacked, lora_b_stacked, output_slices, x.shape[0], fast)
        work.run(self._kernel, y, x, scale)

    def work_of_step(self, a: Slices, b: Slices, sizes: tuple[int, ...], rows: int) -> Work | None:
        """What a layer of bfloat16 has to add for this step's `rows` rows; None where no row has an adapter."""
        return self._work(a, b, sizes, rows, True) if self._tokens else None

    @property
    def has_kernel(self) -> bool:
        """Whether the C++ kernel multiplies; elsewhere PyTorch does."""
        return self._kernel is not None

    def groups_of_step(self, rows: int) -> RowGroups | None:
        """The step's rows by adapter; None where they are not the `rows` rows that were mapped."""
        return self._tokens if rows == self._tokens.total or not self._tokens else None

    def _work(self, a: Slices, b: Slices, sizes: tuple[int, ...], rows: int, fast: bool) -> Work:
        layer = self.table.layer(a, b, sizes)
        if fast and rows == self._tokens.total:
            return self.table.work(self._tokens, layer)
        return self.table.plain(self._tokens.within(rows), layer)

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
                low = products.shrink(taken, a[group.slot, 0], scale)
                part.view(-1, part.shape[-1]).index_copy_(0, group.rows, low.to(part.dtype))

    def add_expand(
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
            weights = self._slots.weights(None, lora_b_stacked, group.slot)
            if weights.rank:
                low = products.rows_of(x, group).narrow(1, 0, weights.rank)
                products.expand(y, group, low, weights.b, add_inputs)

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
            weights = self._slots.weights(lora_a_stacked, lora_b_stacked, group.slot)
            if weights.rank and weights.a is not None:
                low = products.shrink(products.rows_of(x, group), weights.a, scale)
                # The vocabulary may be padded on either side, by different amounts.
                width = min(y.shape[1], weights.b.shape[0])
                products.expand(y.narrow(1, 0, width), group, low, weights.b[:width], True)

    def _sampled(self, rows: int) -> RowGroups:
        """Groups of the rows whose logits are wanted.

        Another number of rows than samples means one request's prompt logprobs, and vLLM does not say whose: they are
        known where the whole batch is of one adapter. Elsewhere no adapter touches them, rather than a wrong one. (As
        many prompt rows as samples cannot be told from samples. Only adapters with an `lm_head` are concerned.)
        """
        if rows == self._samples.total:
            return self._samples
        sole = self._samples.sole_slot()
        return NO_GROUPS if sole is None else every_row(sole, rows)


def _flat(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.view(-1, tensor.shape[-1])
