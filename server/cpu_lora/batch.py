"""What the layers add for one batch, found in the table of all slots (`table`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from server.cpu_lora import kernel, products
from server.cpu_lora.groups import RowGroup, RowGroups
from server.cpu_lora.slots import Part, Stacked
from server.cpu_lora.writes import version

Rows = np.ndarray[Any, np.dtype[np.void]]
"""dtype PRODUCT, [slots, slices of all layers]; where a slot adds nothing its rank is 0."""
Parts = dict[int, tuple[Part, ...]]
"""What a slot adds, by a layer's first column; layers that it has nothing for may be left out."""


@dataclass(frozen=True)
class Work:
    """What one layer adds for one batch: `products` by the kernel, `rest` by PyTorch."""

    products: kernel.Products
    rest: tuple[tuple[RowGroup, Part], ...]

    def run(self, engine: kernel.Kernel | None, y: torch.Tensor, x: torch.Tensor, scale: float) -> None:
        """Add every product of x [rows, inputs] to y [rows, outputs]."""
        if engine is not None and self.products[1]:
            engine.add(y, x, self.products)
        self.run_rest(y, x, scale)

    def run_rest(self, y: torch.Tensor, x: torch.Tensor, scale: float) -> None:
        """`run` without the kernel's share."""
        for group, part in self.rest:
            if part.weights.a is None:
                raise ValueError("a linear layer's work needs A")
            low = products.shrink(products.rows_of(x, group), part.weights.a, scale)
            products.expand(y.narrow(1, part.offset, part.size), group, low, part.weights.b, add=True)


@dataclass
class Layer:
    """One layer's stacked weights, the `first` of its columns, and what stands in them by slot.

    known: slots that were looked at since the last write, which is when `stamp` was `now()`."""

    a: Stacked
    b: Stacked
    sizes: tuple[int, ...]
    first: int
    stamp: tuple[int, int] = (-1, -1)
    parts: dict[int, tuple[Part, ...]] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)

    def now(self) -> tuple[int, int]:
        """Changes when a slot is written, since vLLM's layers clear every slice of a slot before they fill any.

        Negative where PyTorch does not count writes, so that nothing may be kept of these weights."""
        return version(self.a[0]), version(self.b[-1])


class Batch:
    """One batch's rows of the table."""

    def __init__(self, groups: RowGroups, table: Rows) -> None:
        self.groups = groups
        self._rows = table[[group.slot for group in groups]]
        self._rows["rows"] = np.array([group.rows.data_ptr() for group in groups], np.int64)[:, None]
        self._rows["count"] = np.array([group.count for group in groups], np.int64)[:, None]
        self.address, self.stride = self._rows.ctypes.data, table.shape[1]
        self._works: dict[int, Work] = {}

    def work(self, layer: Layer) -> Work:
        """Of one layer, whose columns hold what its slots hold now."""
        found = self._works.get(layer.first)
        if found is None:
            found = self._works[layer.first] = self._make(layer)
        return found

    def _make(self, layer: Layer) -> Work:
        rest = [(group, part) for group in self.groups for part in layer.parts[group.slot] if not fits(part)]
        first = self.address + layer.first * kernel.PRODUCT.itemsize
        return Work((first, len(self.groups.groups), len(layer.sizes), self.stride), tuple(rest))


def fits(part: Part) -> bool:
    """Whether the kernel multiplies it: bfloat16 only."""
    weights = part.weights
    return (
        weights.rank <= kernel.MAX_RANK
        and weights.a is not None
        and weights.a.dtype == weights.b.dtype == torch.bfloat16
        and weights.a.is_contiguous()
    )
