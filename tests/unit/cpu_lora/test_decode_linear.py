"""Linear layers through our kernel: the same answers; oneDNN for many rows where it is kept, and its memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from server.cpu_lora import kernel, linear, reference
from tests.unit.cpu_lora.batches import Batch, agree, generator, stacked, wrapper_for

SIZES = (64, 32)
INPUTS = 96


def _many(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return torch.full((x.shape[0], sum(SIZES)), 7.0, dtype=x.dtype)


def _layer(engine: kernel.Kernel, batch: Batch, many: Any = _many) -> tuple[Any, torch.Tensor]:
    rng = generator(batch)
    weight = (torch.randn(sum(SIZES), INPUTS, generator=rng) / INPUTS**0.5).bfloat16()
    pairs = [stacked(batch, size, INPUTS, 8, rng) for size in SIZES]
    layer = SimpleNamespace(
        base_layer=SimpleNamespace(cpu_linear=linear.PackedLinear(engine, kernel.pack(weight), many)),
        punica_wrapper=wrapper_for(batch),
        lora_a_stacked=tuple(a for a, _ in pairs),
        lora_b_stacked=tuple(b for _, b in pairs),
        output_slices=SIZES,
    )
    return layer, weight


@pytest.mark.parametrize("slots", [(0,), (-1,), (0, 1, -1, 0, 2), (-1, -1), (2,) * linear.FEW_ROWS])
@pytest.mark.parametrize("padding", [0, 2])
def test_a_lora_layer_agrees_with_float64(engine: kernel.Kernel, slots: tuple[int, ...], padding: int) -> None:
    batch = Batch(slots[: linear.FEW_ROWS - padding], 3, padding, False, torch.bfloat16, 5)
    layer, weight = _layer(engine, batch)
    x = torch.randn(batch.rows, INPUTS, generator=generator(batch)).bfloat16()
    wanted = reference.linear(
        (x.double() @ weight.double().t()),
        x,
        a_stacked=layer.lora_a_stacked,
        b_stacked=layer.lora_b_stacked,
        output_slices=SIZES,
        slots=batch.slots,
    )
    apply = linear._apply(lambda *_: pytest.fail("the stock layer was asked"))
    for _ in range(2):  # the second step runs the plan that the first one made
        agree(apply(layer, x), wanted, torch.bfloat16)


@pytest.mark.parametrize("rows", [1, 33, 150, 301])
def test_without_onednn_any_number_of_rows_is_the_kernels(engine: kernel.Kernel, rows: int) -> None:
    slots = ((0,) * 20 + (-1,) * 3 + (2, 1) * 9)[:rows] * (1 + rows // 41)
    batch = Batch(slots[:rows], 3, 0, False, torch.bfloat16, 5)
    layer, weight = _layer(engine, batch, None)
    x = torch.randn(batch.rows, INPUTS + 8, generator=generator(batch)).bfloat16()[:, 8:]
    stacks = {"a_stacked": layer.lora_a_stacked, "b_stacked": layer.lora_b_stacked}
    wanted = reference.linear(x.double() @ weight.double().t(), x, **stacks, output_slices=SIZES, slots=batch.slots)
    agree(linear._apply(lambda *_: pytest.fail("the stock layer was asked"))(layer, x), wanted, torch.bfloat16)
    deep = layer.base_layer.cpu_linear(x[None], torch.zeros(0), None)
    agree(deep[0], x.double() @ weight.double().t(), torch.bfloat16)
    with pytest.raises(TypeError, match="float32"):
        layer.base_layer.cpu_linear(x.float(), torch.zeros(0), None)


def test_many_rows_and_other_types_go_to_what_stood_there(engine: kernel.Kernel) -> None:
    layer, _ = _layer(engine, Batch((0,), 1, 0, False, torch.bfloat16, 5))
    call = layer.base_layer.cpu_linear
    for x in (torch.zeros(linear.FEW_ROWS + 1, INPUTS).bfloat16(), torch.zeros(1, INPUTS)):
        assert (call(x, x, None) == 7).all()
        assert linear._apply(lambda *_: "stock")(layer, x) == "stock"
    assert (call(torch.zeros(1, INPUTS).bfloat16(), torch.zeros(0), None) == 0).all()


@pytest.mark.parametrize(
    ("left", "remove_weight", "lora", "replaced"),
    [
        (1 << 20, True, True, True),
        (100, True, True, False),
        (1 << 20, False, True, False),
        (1 << 20, True, False, False),
        (None, True, True, True),
        (None, False, True, False),
        (None, True, False, False),
    ],
)
def test_what_gets_a_packed_copy(
    engine: kernel.Kernel,
    left: int | None,
    remove_weight: bool,
    lora: bool,
    replaced: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(linear, "never_compiled", lambda: lora)

    def stock(layer: Any, remove_weight: bool) -> None:
        assert not (left is None and replaced), "oneDNN made a copy that nobody reads"
        layer.cpu_linear = _many
        layer.weight = torch.zeros(0)  # as vLLM does: the copy was made before

    layer = SimpleNamespace(weight=torch.ones(sum(SIZES), INPUTS, dtype=torch.bfloat16))
    linear._dispatch(stock, engine, left)(layer, remove_weight)
    assert (type(layer.cpu_linear) is linear.PackedLinear) is replaced
    if replaced:
        assert layer.weight.numel() == 0
        assert (layer.cpu_linear(torch.ones(1, INPUTS).bfloat16(), layer.weight, None) == INPUTS).all()


def test_the_memory_for_copies_is_shared_by_all_layers(engine: kernel.Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "never_compiled", lambda: True)
    weight = torch.ones(sum(SIZES), INPUTS, dtype=torch.bfloat16)
    dispatch = linear._dispatch(lambda layer, remove_weight: setattr(layer, "cpu_linear", _many), engine, weight.nbytes)
    layers = [SimpleNamespace(weight=weight) for _ in range(2)]
    for layer in layers:
        dispatch(layer, True)
    assert [type(layer.cpu_linear) is linear.PackedLinear for layer in layers] == [True, False]
