"""The two small matrix products of LoRA for one adapter's rows, written straight into the output."""

from __future__ import annotations

import torch

from server.cpu_lora.groups import RowGroup


def rows_of(x: torch.Tensor, group: RowGroup) -> torch.Tensor:
    """The group's rows of x [rows, n] as [count, n]: a view where they are consecutive, else a copy of them."""
    if group.start is not None:
        return x.narrow(0, group.start, group.count)
    return x.index_select(0, group.rows)


def shrink(x: torch.Tensor, a: torch.Tensor, scale: float) -> torch.Tensor:
    """x [count, inputs] times A [rank, inputs] transposed: [count, rank], in A's type."""
    low = torch.mm(x.to(a.dtype), a.t())
    return low if scale == 1.0 else low.mul_(scale)


def expand(y: torch.Tensor, group: RowGroup, low: torch.Tensor, b: torch.Tensor, add: bool) -> None:
    """Add (or write) low [count, rank] times B [outputs, rank] transposed to the group's rows of y."""
    b_t = b.t()
    low = low.to(b.dtype)
    if group.start is not None and y.dtype == b.dtype:
        target = y.narrow(0, group.start, group.count)
        torch.addmm(target, low, b_t, beta=1.0 if add else 0.0, out=target)
        return
    delta = torch.mm(low, b_t).to(y.dtype)
    if add:
        y.index_add_(0, group.rows, delta)
    else:
        y.index_copy_(0, group.rows, delta)
