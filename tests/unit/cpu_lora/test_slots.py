"""Slots change owners between steps; the cache of ranks in use must never outlive the weights that it describes."""

from __future__ import annotations

import torch

from server.cpu_lora import reference
from server.cpu_lora.groups import every_row, group_rows
from server.cpu_lora.slots import Slots
from tests.unit.cpu_lora.batches import Batch, agree, generator, told, wrapper_for

BATCH = Batch((0, -1, 1, 0), 2, 0, False, torch.float32, 5)


def test_weights_written_in_place_are_used_at_once() -> None:
    rng = generator(BATCH)
    a, b = torch.zeros(2, 1, 8, 16), torch.zeros(2, 1, 24, 8)
    x = torch.randn(4, 16, generator=rng)
    wrapper = wrapper_for(BATCH)
    for used in (0, 3, 8, 0, 1):
        a.zero_()
        b.zero_()
        a[:, 0, :used].copy_(torch.randn(2, used, 16, generator=rng))
        b[:, 0, :, :used].copy_(torch.randn(2, 24, used, generator=rng))
        y = torch.randn(4, 24, generator=rng)
        wanted = reference.linear(y, x, a_stacked=[a], b_stacked=[b], output_slices=[24], slots=BATCH.slots)
        wrapper.add_lora_linear(y, x, (a,), (b,), 1.0, (24,))
        agree(y, wanted, torch.float32)


def test_two_steps_of_different_batches_do_not_mix() -> None:
    rng = generator(BATCH)
    a, b = torch.randn(2, 1, 8, 16, generator=rng), torch.randn(2, 1, 24, 8, generator=rng)
    wrapper = wrapper_for(BATCH)
    for slots in ((-1, -1), (1,) * 7, (0, 1, 0, 1, -1), (0,)):
        told(wrapper, Batch(slots, 2, 0, True, torch.float32, 0))
        x, y = torch.randn(len(slots), 16, generator=rng), torch.randn(len(slots), 24, generator=rng)
        wanted = reference.linear(y, x, a_stacked=[a], b_stacked=[b], output_slices=[24], slots=slots)
        wrapper.add_lora_linear(y, x, (a,), (b,), 1.0, (24,))
        agree(y, wanted, torch.float32)


def test_rank_in_use_skips_padding_and_absent_adapters() -> None:
    a, b = torch.zeros(3, 1, 16, 8), torch.zeros(3, 1, 24, 16)
    a[0, 0, :4], b[0, 0, :, :4] = 1, 1
    a[1, 0, :4] = 1  # B is zero: an adapter fresh from its initialisation adds nothing
    slots = Slots()
    assert [slots.weights(a, b, slot).rank for slot in range(3)] == [4, 0, 0]
    b[1, 0, :, 2] = float("nan")  # a broken adapter must break visibly, not be skipped
    assert slots.weights(a, b, 1).rank == 3


def test_ranks_without_a_version_counter_are_taken_as_full() -> None:
    with torch.inference_mode():
        a, b = torch.zeros(1, 1, 16, 8), torch.zeros(1, 1, 24, 16)
    assert Slots().weights(a, b, 0).rank == 16


def test_groups_know_consecutive_rows_and_clip() -> None:
    groups = group_rows([1, 1, -1, 0, 1])
    assert [(group.slot, group.rows.tolist(), group.start) for group in groups] == [(0, [3], 3), (1, [0, 1, 4], None)]
    assert [(group.slot, group.start) for group in groups.within(3)] == [(1, 0)]
    assert not group_rows([-1, -1]) and not group_rows([])
    assert group_rows([2, 2]).sole_slot() == 2
    assert group_rows([2, -1]).sole_slot() is None
    assert every_row(3, 4).groups[0].count == 4
