"""What one layer has to do for one batch: made when the batch or a slot changes, then only run, step after step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from server.cpu_lora import kernel, products
from server.cpu_lora.groups import RowGroup, RowGroups
from server.cpu_lora.slots import Slots, SlotWeights, Stacked
from server.cpu_lora.writes import version

_NOTHING = np.zeros(0, dtype=kernel.PRODUCT)


@dataclass(frozen=True)
class Part:
    """One adapter's rows of one slice: `size` columns of the output from `offset` on."""

    group: RowGroup
    weights: SlotWeights
    offset: int
    size: int


@dataclass(frozen=True)
class Plan:
    """parts: for PyTorch; compiled: the same for the kernel (dtype PRODUCT), whose tensors `kept` keeps alive."""

    groups: RowGroups
    stamp: tuple[int, int]
    parts: tuple[Part, ...]
    compiled: np.ndarray[tuple[int], np.dtype[np.void]] = field(default_factory=lambda: _NOTHING)
    kept: tuple[object, ...] = ()
    products: tuple[int, int] = (0, 0)
    """Address and length of `compiled`."""

    def run(self, engine: kernel.Kernel | None, y: torch.Tensor, x: torch.Tensor, scale: float) -> None:
        """Add every part's product of x [rows, inputs] to y [rows, outputs]."""
        if engine is not None and len(self.compiled):
            engine.add(y, x, self.compiled)
        self.rest(y, x, scale)

    def rest(self, y: torch.Tensor, x: torch.Tensor, scale: float) -> None:
        """`run` without the kernel's share."""
        for part in self.parts:
            weights = part.weights
            if weights.a is None:
                raise ValueError("a linear layer's plan needs A")
            low = products.shrink(products.rows_of(x, part.group), weights.a, scale)
            products.expand(y.narrow(1, part.offset, part.size), part.group, low, weights.b, add=True)


def stamp(a: Stacked, b: Stacked) -> tuple[int, int]:
    """Changes when a slot is written: vLLM's layers clear every slice of a slot before they fill any."""
    return version(a[0]), version(b[-1])


def make_plan(slots: Slots, groups: RowGroups, a: Stacked, b: Stacked, sizes: tuple[int, ...]) -> Plan:
    """The work of one layer, for PyTorch; shapes as in `reference.linear`."""
    parts = tuple(
        Part(group, part.weights, part.offset, part.size)
        for group in groups
        for part in slots.parts(a, b, sizes, group.slot)
    )
    return Plan(groups, stamp(a, b), parts)


def compile_plan(plan: Plan) -> Plan:
    """`plan` with its small groups handed to the kernel; weights that are not bfloat16 stay with PyTorch."""
    fit = [part for part in plan.parts if _fits(part)]
    rest = tuple(part for part in plan.parts if not _fits(part))
    rows: list[tuple[int, ...]] = []
    kept: list[object] = []
    for part in fit:
        a, b, group = part.weights.a, part.weights.b_transposed, part.group
        if a is None:
            raise ValueError("a linear layer's plan needs A")
        kept += [a, b, group.rows]
        addresses = (a.data_ptr(), b.data_ptr(), group.rows.data_ptr())
        rows.append((*addresses, group.count, part.weights.rank, a.shape[1], part.size, part.offset))
    table = np.array(rows, dtype=kernel.PRODUCT)
    return Plan(plan.groups, plan.stamp, rest, table, tuple(kept), (table.ctypes.data, len(table)))


def _fits(part: Part) -> bool:
    weights = part.weights
    return (
        part.group.count <= kernel.MAX_ROWS
        and weights.rank <= kernel.MAX_RANK
        and weights.a is not None
        and weights.a.dtype == weights.b.dtype == torch.bfloat16
        and weights.a.is_contiguous()
    )
