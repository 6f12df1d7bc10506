"""The table of all slots: whatever was written and whoever asks, a batch finds what its slots hold now."""

from __future__ import annotations

import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cpu_lora import kernel, reference
from server.cpu_lora.groups import group_rows
from server.cpu_lora.slots import Part, Slots, SlotWeights
from server.cpu_lora.table import Table
from tests.unit.cpu_lora.batches import agree

SLOTS, RANK, INPUTS, SIZES = 4, 8, 32, (32, 16)

Stacks = tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]


def _stacks(dtype: torch.dtype = torch.bfloat16) -> Stacks:
    return (
        tuple(torch.zeros(SLOTS, 1, RANK, INPUTS, dtype=dtype) for _ in SIZES),
        tuple(torch.zeros(SLOTS, 1, size, RANK, dtype=dtype) for size in SIZES),
    )


def _write(stacks: Stacks, slot: int, rank: int, rng: torch.Generator) -> None:
    """As vLLM's layers do, seen by PyTorch's version counter only."""
    for tensor in (*stacks[0], *stacks[1]):
        tensor[slot] = 0
    for a, b in zip(*stacks, strict=True):
        a[slot, 0, :rank] = torch.randn(rank, INPUTS, generator=rng) / INPUTS**0.5
        b[slot, 0, :, :rank] = torch.randn(b.shape[2], rank, generator=rng)


def _lend(table: Table, stacks: list[Stacks], truth: list[Stacks], slot: int, rank: int, rng: torch.Generator) -> None:
    """Tensors of their own for every layer but the last; `truth` gets what the slot then holds."""
    parts = {}
    for number, true in enumerate(truth):
        _write(true, slot, 0 if number == len(truth) - 1 else rank, rng)
        offset, made = 0, []
        for piece, (a, b, size) in enumerate(zip(*true, SIZES, strict=True)):
            if rank and number < len(truth) - 1:
                weights = SlotWeights(rank, a[slot, 0, :rank].clone(), b[slot, 0, :, :rank].clone())
                made.append(Part(weights, piece, offset, size))
            offset += size
        parts[table.layer(*stacks[number], SIZES).first] = tuple(made)
    table.lend(slot, table.row_of(parts), parts)


ROWS = st.lists(st.integers(-1, SLOTS - 1), min_size=1, max_size=8).filter(lambda slots: max(slots) >= 0)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, SLOTS - 1), st.integers(0, RANK)),
        st.tuples(st.just("lend"), st.integers(0, SLOTS - 1), st.integers(0, RANK)),
        st.tuples(st.just("layer"), st.integers(0, 2), ROWS),  # as vLLM's layers ask, one after the other
        st.tuples(st.just("step"), st.just(0), ROWS),  # as a decode step asks, for all layers at once
        st.tuples(st.just("long"), st.integers(0, 2), ROWS),  # a prompt beside the rest
    ),
    max_size=14,
)


@given(OPERATIONS, st.integers(0, 2**16))
@settings(max_examples=120, deadline=None)
def test_a_batch_adds_what_its_slots_hold_now(
    engine: kernel.Kernel, operations: list[tuple[str, int, object]], seed: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    stacks, truth, table = [_stacks() for _ in range(3)], [_stacks() for _ in range(3)], Table(Slots())
    versions: list[int] = []
    for what, number, given_ in operations:
        if what == "write":
            assert isinstance(given_, int)
            table.take_back(number)
            for one, true in zip(stacks, truth, strict=True):
                _write(one, number, given_, rng)
                for written, wanted in zip((*one[0], *one[1]), (*true[0], *true[1]), strict=True):
                    wanted[number] = written[number]
            continue
        if what == "lend":
            assert isinstance(given_, int)
            _lend(table, stacks, truth, number, given_, rng)
            continue
        assert isinstance(given_, list)
        slots = given_ + [given_[-1]] * (130 if what == "long" else 0)
        groups = group_rows(slots)
        x = torch.randn(len(slots), INPUTS, generator=rng).bfloat16()
        for one in range(3) if what == "step" else [number]:
            layer, (a, b) = table.layer(*stacks[one], SIZES), truth[one]
            if what == "step":
                now = [tensor._version for stack in stacks for tensor in (stack[0][0], stack[1][-1])]
                work = table.batch(groups, fresh=now == versions).work(layer)
                versions = now
            else:
                work = table.work(groups, layer)
            y = torch.randn(len(slots), sum(SIZES), generator=rng).bfloat16()
            wanted = reference.linear(
                y, x, a_stacked=list(a), b_stacked=list(b), output_slices=list(SIZES), slots=tuple(slots)
            )
            work.run(engine, y, x, 1.0)
            agree(y, wanted, torch.bfloat16)


def test_another_batch_of_the_same_slots_enters_nothing_anew(
    engine: kernel.Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks, table = _stacks(), Table(Slots())
    _write(stacks, 0, 4, torch.Generator().manual_seed(1))
    layer = table.layer(*stacks, SIZES)
    table.work(group_rows([0, 1, 0]), layer)
    monkeypatch.setattr(table, "_refresh", lambda _: pytest.fail("looked at every layer"))
    one, other = table.work(group_rows([1, 0]), layer), table.work(group_rows([0]), layer)
    assert one.products[1:3] == (2, 2) and other.products[1:3] == (1, 2)


def test_a_lent_row_reaches_layers_that_came_later(engine: kernel.Kernel) -> None:
    first, second, table, rng = _stacks(), _stacks(), Table(Slots()), torch.Generator().manual_seed(1)
    table.layer(*first, SIZES)
    weights = SlotWeights(4, torch.randn(4, INPUTS, generator=rng).bfloat16(), torch.randn(32, 4).bfloat16())
    parts = {len(SIZES): (Part(weights, 0, 0, SIZES[0]),)}
    row = table.row_of({})
    layer, groups = table.layer(*second, SIZES), group_rows([1])
    table.lend(1, row, parts)
    x, y = torch.randn(1, INPUTS, generator=rng).bfloat16(), torch.zeros(1, sum(SIZES)).bfloat16()
    table.work(groups, layer).run(engine, y, x, 1.0)
    assert y[0, : SIZES[0]].abs().sum() > 0 and y[0, SIZES[0] :].abs().sum() == 0


def test_what_is_taken_back_is_kept_nowhere(engine: kernel.Kernel) -> None:
    table, a = Table(Slots()), torch.ones(4, INPUTS).bfloat16()
    layer, groups = table.layer(*_stacks(), SIZES), group_rows([1])
    parts = {0: (Part(SlotWeights(4, a, torch.ones(32, 4).bfloat16()), 0, 0, SIZES[0]),)}
    table.lend(1, table.row_of(parts), parts)
    x, y = torch.ones(1, INPUTS).bfloat16(), torch.zeros(1, sum(SIZES)).bfloat16()
    table.work(groups, layer).run(engine, y, x, 1.0)
    assert y.abs().sum() > 0
    seen = weakref.ref(a)
    table.take_back(1)
    del a, parts
    assert seen() is None
    y.zero_()
    table.work(groups, layer).run(engine, y, x, 1.0)
    assert y.abs().sum() == 0


def test_what_the_kernel_cannot_multiply_is_left_to_pytorch(engine: kernel.Kernel) -> None:
    stacks, table = _stacks(torch.float32), Table(Slots())
    _write(stacks, 1, 4, torch.Generator().manual_seed(1))
    groups, layer = group_rows([1, 0]), table.layer(*stacks, SIZES)
    work = table.work(groups, layer)
    assert len(work.rest) == 2 and not table.fits(groups)
    assert table.fits(group_rows([0, 0]))


def test_weights_whose_writes_nobody_counts_are_looked_at_each_time() -> None:
    with torch.inference_mode():
        stacks = _stacks()
    table = Table(Slots())
    work = table.work(group_rows([0]), table.layer(*stacks, SIZES))
    assert work.products == kernel.NOTHING and [part.weights.rank for _, part in work.rest] == [RANK, RANK]
