"""What every slot adds to every linear layer, in one table: rows are slots, columns are the slices of all layers.

A batch takes the rows of its slots, all layers at once, and a layer finds its columns in them. So another batch costs
one copy of some rows, whatever the number of layers, and an adapter's load costs its own row.
"""

from __future__ import annotations

import numpy as np

from server.cpu_lora import kernel
from server.cpu_lora.batch import Batch, Layer, Parts, Rows, Work, fits
from server.cpu_lora.groups import RowGroups
from server.cpu_lora.slots import Part, Slots, Stacked


class Table:
    """The table of one model."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._layers: dict[int, Layer] = {}
        self._rows: Rows = np.zeros((0, 0), dtype=kernel.PRODUCT)
        self._batch: Batch | None = None
        self._held: set[int] = set()  # slots whose rows are filled
        self._unfit: set[tuple[int, int]] = set()  # slot and first column of what the kernel does not multiply
        self._lent: dict[int, Parts] = {}  # by slot; what the stacked weights hold there does not count

    def layer(self, a: Stacked, b: Stacked, sizes: tuple[int, ...]) -> Layer:
        """The layer with these stacked weights; the table holds `a` itself, so its id cannot become another tuple's."""
        found = self._layers.get(id(a))
        if found is None:
            found = self._layers[id(a)] = Layer(a, b, sizes, self._rows.shape[1])
            self._grow(self._rows.shape[0], found.first + len(sizes))
            self._held.clear()
        return found

    def fits(self, groups: RowGroups) -> bool:
        """Whether the kernel multiplies all that the last batch of these groups adds."""
        slots = {group.slot for group in groups}
        return not any(slot in slots for slot, _ in self._unfit)

    def batch(self, groups: RowGroups, fresh: bool) -> Batch:
        """The rows of these groups' slots; `fresh`: whether the caller knows that no slot was written since."""
        slots = {group.slot for group in groups}
        if not fresh or not slots <= self._held:
            self._refresh(slots)
        if self._batch is None or self._batch.groups is not groups:
            self._batch = Batch(groups, self._rows)
        return self._batch

    def work(self, groups: RowGroups, layer: Layer) -> Work:
        """What `layer` adds for these groups, whatever was written since the last time."""
        now = layer.now()
        if min(now) < 0:
            return self.plain(groups, layer)
        return self.batch(groups, fresh=layer.stamp == now).work(layer)

    def plain(self, groups: RowGroups, layer: Layer) -> Work:
        """`work` without the kernel, for groups that need not come again."""
        found = self._parts(layer, [group.slot for group in groups])
        rest = ((group, part) for group, parts in zip(groups, found, strict=True) for part in parts)
        return Work(kernel.NOTHING, tuple(rest))

    def row_of(self, parts: Parts) -> Rows:
        """The row of a slot that holds `parts`, all of which the kernel multiplies."""
        row = np.zeros(self._rows.shape[1], dtype=kernel.PRODUCT)
        for first, found in parts.items():
            for part in found:
                row[first + part.piece] = _product(part)
        return row

    def lend(self, slot: int, row: Rows, parts: Parts) -> None:
        """Let `slot` hold `parts`, whose `row_of` is `row`, whatever its stacked weights hold."""
        if slot >= self._rows.shape[0]:
            self._grow(slot + 1, self._rows.shape[1])
        # The table may have more layers than when the row was made.
        self._rows[slot] = row if row.shape[0] == self._rows.shape[1] else self.row_of(parts)
        self._lent[slot], self._batch = parts, None
        self._unfit = {(other, first) for other, first in self._unfit if other != slot}
        for layer in self._layers.values():
            layer.parts[slot] = parts.get(layer.first, ())
            layer.known.add(slot)
        self._held.add(slot)

    def take_back(self, slot: int) -> None:
        """Let `slot` hold what its stacked weights hold again; what was lent may then be freed."""
        if self._lent.pop(slot, None) is not None:
            self._batch = None
            self._held.discard(slot)
            for layer in self._layers.values():
                layer.known.discard(slot)
                layer.parts.pop(slot, None)

    def _refresh(self, slots: set[int]) -> None:
        """Look at every layer, since an adapter is written to all of them; enter what changed in these slots."""
        self._batch = None
        if slots and max(slots) >= self._rows.shape[0]:
            self._grow(max(slots) + 1, self._rows.shape[1])
        written = False
        for layer in self._layers.values():
            now = layer.now()
            if layer.stamp != now:
                written, layer.stamp = True, now
                layer.known.clear()
            unknown = sorted(slots - layer.known)
            if unknown:
                for slot, parts in zip(unknown, self._parts(layer, unknown), strict=True):
                    if layer.parts.get(slot) is not parts:
                        self._enter(layer, slot, parts)
                layer.known.update(unknown)
        # What other slots hold was not looked at, so after a write they are filled when they are asked for.
        self._held = slots | (set() if written else self._held)

    def _parts(self, layer: Layer, slots: list[int]) -> list[tuple[Part, ...]]:
        written = [slot for slot in slots if slot not in self._lent]
        found = dict(zip(written, self._slots.parts(layer.a, layer.b, layer.sizes, written), strict=True))
        return [found[slot] if slot in found else self._lent[slot].get(layer.first, ()) for slot in slots]

    def _enter(self, layer: Layer, slot: int, parts: tuple[Part, ...]) -> None:
        layer.parts[slot] = parts
        row = self._rows[slot, layer.first : layer.first + len(layer.sizes)]
        row["rank"] = 0
        self._unfit.discard((slot, layer.first))
        for part in parts:
            if fits(part):
                row[part.piece] = _product(part)
            else:
                self._unfit.add((slot, layer.first))

    def _grow(self, slots: int, columns: int) -> None:
        rows = np.zeros((slots, columns), dtype=kernel.PRODUCT)
        rows[: self._rows.shape[0], : self._rows.shape[1]] = self._rows
        self._rows, self._batch = rows, None


def _product(part: Part) -> tuple[int, ...]:
    """Dtype PRODUCT without rows, of a part that `fits`."""
    a, weights = part.weights.a, part.weights
    assert a is not None
    return a.data_ptr(), weights.b_transposed.data_ptr(), 0, 0, weights.rank, a.shape[1], part.size, part.offset
