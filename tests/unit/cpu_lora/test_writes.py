"""The ledger of writes: what is known of a slot is forgotten when that slot is written, and not before."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cpu_lora import writes
from server.cpu_lora.patching import is_ours
from server.cpu_lora.slots import Slots, _used_rank

SLOTS, RANK = 3, 8


def _reset(self: SimpleNamespace, index: int) -> None:
    for tensor in (*self.lora_a_stacked, *self.lora_b_stacked):
        tensor[index] = 0


RESET = writes._watched(_reset, fills=False)


def _set(self: SimpleNamespace, index: int, rank: int) -> None:
    """As vLLM's layers do: clear every slice, then fill."""
    RESET(self, index)
    for a, b in zip(self.lora_a_stacked, self.lora_b_stacked, strict=True):
        a[index, 0, :rank].copy_(torch.ones(rank, a.shape[-1]))
        b[index, 0, :, :rank].copy_(torch.ones(b.shape[2], rank))


SET = writes._watched(_set, fills=True)


def _layer() -> SimpleNamespace:
    shapes = (16, 24)
    return SimpleNamespace(
        lora_a_stacked=tuple(torch.zeros(SLOTS, 1, RANK, 8) for _ in shapes),
        lora_b_stacked=tuple(torch.zeros(SLOTS, 1, size, RANK) for size in shapes),
    )


def test_another_slots_write_forgets_nothing() -> None:
    layer, slots = _layer(), Slots()
    a, b = layer.lora_a_stacked, layer.lora_b_stacked
    SET(layer, 0, 4)
    first, whole = slots.weights(a[0], b[0], 0), slots.parts(a, b, (16, 24), [0])[0]
    SET(layer, 1, 2)
    assert slots.weights(a[0], b[0], 0) is first and slots.parts(a, b, (16, 24), [0])[0] is whole
    SET(layer, 0, 5)
    assert slots.weights(a[0], b[0], 0).rank == 5
    assert [part.weights.rank for part in slots.parts(a, b, (16, 24), [0])[0]] == [5, 5]
    RESET(layer, 0)
    assert slots.weights(a[0], b[0], 0).rank == 0 and slots.parts(a, b, (16, 24), [0])[0] == ()


def test_a_slot_that_was_cleared_is_neither_read_nor_cleared_again() -> None:
    layer = _layer()
    b = layer.lora_b_stacked[0]
    assert writes.rank(b, 0) is None  # nobody knows yet
    RESET(layer, 0)
    assert writes.rank(b, 0) == 0
    before = writes.version(b)
    RESET(layer, 0)
    assert writes.version(b) == before
    SET(layer, 0, 3)
    assert writes.rank(b, 0) != 0
    RESET(layer, 0)
    assert writes.version(b) > before and not b[0].any()
    b[0] = 1  # a stranger
    RESET(layer, 0)
    assert not b[0].any()


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["set", "reset", "stranger"]), st.integers(0, SLOTS - 1), st.integers(1, RANK)),
    max_size=12,
)


@given(OPERATIONS)
@settings(max_examples=200, deadline=None)
def test_what_is_known_is_what_is_there_whoever_wrote(operations: list[tuple[str, int, int]]) -> None:
    layer, slots = _layer(), Slots()
    a, b = layer.lora_a_stacked, layer.lora_b_stacked
    for what, slot, rank in operations:
        if what == "set":
            SET(layer, slot, rank)
        elif what == "reset":
            RESET(layer, slot)
        else:
            for tensor in (*a, *b):
                tensor[slot].fill_(rank)
        for one in range(SLOTS):
            wanted = [_used_rank(x, y, one) for x, y in zip(a, b, strict=True)]
            assert [slots.weights(x, y, one).rank for x, y in zip(a, b, strict=True)] == wanted
            assert [part.weights.rank for part in slots.parts(a, b, (16, 24), [one])[0]] == [
                rank for rank in wanted if rank
            ]
            for part in slots.parts(a, b, (16, 24), [one])[0]:
                assert torch.equal(part.weights.b_transposed.t(), b[part.offset > 0][one, 0, :, : part.weights.rank])


def test_every_kind_of_layer_is_watched_once() -> None:
    from vllm.lora.layers import (
        MergedQKVParallelLinearWithLoRA,
        RowParallelLinearWithLoRA,
        VocabParallelEmbeddingWithLoRA,
    )

    writes.watch()
    before = RowParallelLinearWithLoRA.reset_lora
    writes.watch()
    assert RowParallelLinearWithLoRA.reset_lora is before
    for kind in (MergedQKVParallelLinearWithLoRA, RowParallelLinearWithLoRA, VocabParallelEmbeddingWithLoRA):
        assert is_ours(kind.set_lora) and is_ours(kind.reset_lora)
