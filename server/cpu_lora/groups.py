"""Rows of a batch, grouped by adapter slot: computed once per step, used by every layer of that step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

BASE_SLOT = -1
"""The slot of a row that asks for the base model: it belongs to no group, so no product ever touches it."""


@dataclass(frozen=True)
class RowGroup:
    """The rows of one adapter: `slot` is its place in the stacked weights, `rows` ascending int64 [count].

    `start` is set where the rows are consecutive, so that a slice (a view) can stand for them.
    """

    slot: int
    rows: torch.Tensor
    start: int | None

    @property
    def count(self) -> int:
        """How many rows ask for this adapter, at least 1."""
        return int(self.rows.shape[0])


@dataclass(frozen=True)
class RowGroups:
    """All groups of a batch of `total` mapped rows; slots ascend, base rows are in none."""

    total: int
    groups: tuple[RowGroup, ...]

    def __iter__(self) -> Iterator[RowGroup]:
        return iter(self.groups)

    def __bool__(self) -> bool:
        return bool(self.groups)

    def within(self, rows: int) -> RowGroups:
        """The groups of the first `rows` rows: a layer may be handed fewer rows than were mapped."""
        if rows >= self.total:
            return self
        kept = (_group(group.slot, group.rows[group.rows < rows]) for group in self.groups)
        return RowGroups(rows, tuple(group for group in kept if group.count))

    def sole_slot(self) -> int | None:
        """The slot that every mapped row asks for, or None where rows differ or any of them is a base row."""
        if len(self.groups) == 1 and self.groups[0].count == self.total:
            return self.groups[0].slot
        return None


NO_GROUPS = RowGroups(0, ())


def group_rows(slots: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> RowGroups:
    """Group rows by slot.

    slots: one entry a row, the adapter's slot (0 and up) or a negative number for the base model.
    """
    array = np.asarray(slots, dtype=np.int64).reshape(-1)
    active = np.unique(array[array >= 0])
    groups = tuple(_group(int(slot), torch.from_numpy(np.flatnonzero(array == slot))) for slot in active)
    return RowGroups(int(array.shape[0]), groups)


def every_row(slot: int, rows: int) -> RowGroups:
    """One adapter for all of `rows` rows."""
    return RowGroups(rows, (_group(slot, torch.arange(rows)),))


def _group(slot: int, rows: torch.Tensor) -> RowGroup:
    count = int(rows.shape[0])
    consecutive = count > 0 and int(rows[-1]) - int(rows[0]) + 1 == count
    return RowGroup(slot, rows, int(rows[0]) if consecutive else None)
