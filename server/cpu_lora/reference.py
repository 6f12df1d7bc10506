"""What LoRA means, row by row in float64: slow, obvious, and what the fast path is tested against."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def linear(
    y: torch.Tensor,
    x: torch.Tensor,
    *,
    a_stacked: Sequence[torch.Tensor],
    b_stacked: Sequence[torch.Tensor],
    output_slices: Sequence[int],
    slots: Sequence[int],
    scale: float = 1.0,
) -> torch.Tensor:
    """y plus every row's own low-rank product, as a new float64 tensor.

    y: [rows, >= sum(output_slices)]; x: [rows, inputs]; a_stacked: per slice [slots, 1, rank, inputs];
    b_stacked: per slice [slots, 1, outputs, rank]; slots: per row a slot, negative for the base model. Rows past
    `slots` are padding and stay as they are.
    """
    result = y.to(torch.float64).clone()
    for row, slot in enumerate(slots[: y.shape[0]]):
        if slot < 0:
            continue
        offset = 0
        for a, b, size in zip(a_stacked, b_stacked, output_slices, strict=True):
            low = a[slot, 0].to(torch.float64) @ x[row].to(torch.float64) * scale
            result[row, offset : offset + size] += b[slot, 0].to(torch.float64) @ low
            offset += size
    return result


def shrink(x: torch.Tensor, a: torch.Tensor, slots: Sequence[int], scale: float = 1.0) -> torch.Tensor:
    """Every row's product with its adapter's A [slots, 1, rank, inputs], float64 [rows, rank]; base rows are zero."""
    result = torch.zeros(x.shape[0], a.shape[-2], dtype=torch.float64)
    for row, slot in enumerate(slots[: x.shape[0]]):
        if slot >= 0:
            result[row] = a[slot, 0].to(torch.float64) @ x[row].to(torch.float64) * scale
    return result


def expand(
    y: torch.Tensor,
    low: Sequence[torch.Tensor] | torch.Tensor,
    *,
    b_stacked: Sequence[torch.Tensor],
    output_slices: Sequence[int],
    slots: Sequence[int],
    offset: int = 0,
) -> torch.Tensor:
    """y plus every row's product with its adapter's B, float64. `low`: per slice [rows, rank]; B as in `linear`."""
    result = y.to(torch.float64).clone()
    for part, b, size in zip(low, b_stacked, output_slices, strict=True):
        for row, slot in enumerate(slots[: y.shape[0]]):
            if slot >= 0:
                result[row, offset : offset + size] += b[slot, 0].to(torch.float64) @ part[row].to(torch.float64)
        offset += size
    return result
