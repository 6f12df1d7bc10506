"""Linear, packed QKV and gate-up, row-parallel, sharded: against the float64 reference."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cpu_lora import reference
from tests.unit.cpu_lora.batches import Batch, agree, batches, generator, stacked, told, wrapper_for

SHAPES = st.tuples(
    st.lists(st.sampled_from([8, 16, 24, 40]), min_size=1, max_size=3),  # 1 slice: row-parallel; 2: gate-up; 3: QKV
    st.sampled_from([8, 24, 64, 96]),
    st.sampled_from([1, 4, 8, 16]),
)
Shape = tuple[list[int], int, int]


def _case(batch: Batch, shape: Shape) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    outputs, inputs, rank = shape
    rng = generator(batch)
    pairs = [stacked(batch, size, inputs, rank, rng) for size in outputs]
    x = torch.randn(batch.rows, inputs, generator=rng).to(batch.dtype)
    y = torch.randn(batch.rows, sum(outputs), generator=rng).to(batch.dtype)
    return y, x, [a for a, _ in pairs], [b for _, b in pairs]


@given(batches(), SHAPES)
@settings(max_examples=150, deadline=None)
def test_linear_agrees_with_float64(batch: Batch, shape: Shape) -> None:
    y, x, a, b = _case(batch, shape)
    wanted = reference.linear(y, x, a_stacked=a, b_stacked=b, output_slices=shape[0], slots=batch.slots)
    got = y.clone()
    wrapper_for(batch).add_lora_linear(got, x, tuple(a), tuple(b), 1.0, tuple(shape[0]))
    agree(got, wanted, batch.dtype)


def test_a_long_prompt_and_single_rows_share_a_batch() -> None:
    """Four rows at a time, then the rest; no group disturbs another."""
    long = 130
    batch = Batch((0,) * long + (1, -1, 0, 2) + (2,) * (long - 1), 3, 0, True, torch.bfloat16, 3)
    shape: Shape = ([40, 16, 16], 96, 16)
    y, x, a, b = _case(batch, shape)
    wanted = reference.linear(y, x, a_stacked=a, b_stacked=b, output_slices=shape[0], slots=batch.slots)
    wrapper = wrapper_for(batch)
    for _ in range(2):  # the second step runs the plan that the first one made
        got = y.clone()
        wrapper.add_lora_linear(got, x, tuple(a), tuple(b), 1.0, tuple(shape[0]))
        agree(got, wanted, batch.dtype)


@given(batches(), SHAPES)
@settings(max_examples=100, deadline=None)
def test_base_and_padding_rows_keep_every_bit(batch: Batch, shape: Shape) -> None:
    y, x, a, b = _case(batch, shape)
    got = y.clone()
    wrapper_for(batch).add_lora_linear(got, x, tuple(a), tuple(b), 1.0, tuple(shape[0]))
    untouched = [row for row in range(batch.rows) if row >= len(batch.slots) or batch.slots[row] < 0]
    assert torch.equal(got[untouched], y[untouched])


@given(batches(padded=False), SHAPES)
@settings(max_examples=60, deadline=None)
def test_a_row_is_answered_as_if_it_were_alone(batch: Batch, shape: Shape) -> None:
    y, x, a, b = _case(batch, shape)
    together = y.clone()
    wrapper = wrapper_for(batch)
    wrapper.add_lora_linear(together, x, tuple(a), tuple(b), 1.0, tuple(shape[0]))
    for row in {0, len(batch.slots) // 2, len(batch.slots) - 1}:
        alone = Batch((batch.slots[row],), batch.slot_count, 0, batch.is_prefill, batch.dtype, batch.seed)
        got = y[row : row + 1].clone()
        told(wrapper, alone)
        wrapper.add_lora_linear(got, x[row : row + 1], tuple(a), tuple(b), 1.0, tuple(shape[0]))
        agree(together[row : row + 1], got.to(torch.float64), batch.dtype)


@given(batches(padded=False), SHAPES, st.sampled_from([0.25, 1.0, 2.0]))
@settings(max_examples=80, deadline=None)
def test_shrink_then_expand_as_sharded_layers_call_them(batch: Batch, shape: Shape, scale: float) -> None:
    outputs, _, rank = shape
    y, x, a, b = _case(batch, shape)
    wrapper = wrapper_for(batch)
    low = torch.zeros(len(a), batch.rows, rank, dtype=torch.float32)
    wrapper.add_shrink(low, x, tuple(a), scale)
    for part, weights in zip(low, a, strict=True):
        agree(part, reference.shrink(x, weights, batch.slots, scale), batch.dtype)
    wanted = reference.expand(y, low, b_stacked=b, output_slices=outputs, slots=batch.slots)
    wrapper.add_expand(y, low, tuple(b), tuple(outputs), offset_start=0, add_input=True)
    agree(y, wanted, batch.dtype)


@given(batches(padded=False), st.sampled_from([8, 16]), st.sampled_from([0, 8]))
@settings(max_examples=40, deadline=None)
def test_expand_writes_only_its_own_columns(batch: Batch, size: int, offset: int) -> None:
    rng = generator(batch)
    _, b = stacked(batch, size, 8, 4, rng)
    y = torch.randn(batch.rows, 32, generator=rng).to(batch.dtype)
    low = torch.randn(1, batch.rows, 4, generator=rng)
    wanted = reference.expand(y, low, b_stacked=[b], output_slices=[size], slots=batch.slots, offset=offset)
    got = y.clone()
    wrapper_for(batch).add_expand(got, low, (b,), (size,), offset_start=offset, add_input=True)
    agree(got, wanted, batch.dtype)
    assert torch.equal(got[:, :offset], y[:, :offset])
    assert torch.equal(got[:, offset + size :], y[:, offset + size :])
