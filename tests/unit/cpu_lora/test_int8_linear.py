"""INT8 layers: the kernel's numbers are those of exact integers; what it cannot take stays with vLLM."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cpu_lora import int8_linear, kernel

OUTPUTS, INPUTS = 64, 96


def rounded(x: torch.Tensor) -> torch.Tensor:
    """Rows of x as W8A8's dynamic rounding has them, in float64: the largest number of a row becomes 127.

    In float32 as the kernel does it: random numbers in bfloat16 often lie on the border between two integers."""
    largest = x.float().abs().amax(1, keepdim=True)
    times = torch.full_like(largest, 127).div(largest)  # `127 / largest` is 127 times the inverse
    return (x.float() * times).round().double() * (largest / 127).double()


def _weights(outputs: int, inputs: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    weight = torch.randint(-128, 128, (outputs, inputs), generator=rng, dtype=torch.int8)
    return weight, torch.rand(outputs, generator=rng) / 1000 + 1e-6


@given(
    st.integers(1, 40), st.integers(1, 9), st.sampled_from([32, 96, 576, 1536]), st.booleans(), st.integers(0, 10**6)
)
@settings(max_examples=60, deadline=None)
def test_agrees_with_float64(
    engine: kernel.Kernel, rows: int, blocks: int, inputs: int, biased: bool, seed: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    weight, scales = _weights(blocks * 32, inputs, rng)
    x = torch.randn(rows, inputs + 32, generator=rng).bfloat16()[:, :inputs]  # rows that do not follow each other
    bias = torch.randn(blocks * 32, generator=rng).bfloat16() if biased else None
    got = engine.int8_linear(x, kernel.pack_int8(weight), scales, bias)
    wanted = rounded(x) @ weight.double().t() * scales.double()
    wanted = wanted if bias is None else wanted + bias.double()
    torch.testing.assert_close(got.double(), wanted, rtol=1 / 250, atol=1e-6)  # a rounding to bfloat16, nothing else


def test_rows_of_zeros_and_of_the_largest_numbers(engine: kernel.Kernel) -> None:
    weight = torch.full((32, 1536), -128, dtype=torch.int8)
    x = torch.zeros(3, 1536).bfloat16()
    x[1], x[2] = 2.0, -2.0
    got = engine.int8_linear(x, kernel.pack_int8(weight), torch.full((32,), 0.001), None).float()
    assert (got[0] == 0).all()
    torch.testing.assert_close(got[1], torch.full((32,), -2 * 128 * 1536 * 0.001), rtol=0.004, atol=0)
    assert torch.equal(got[2], -got[1])


def test_a_row_is_the_same_to_the_bit_alone_and_in_a_crowd(engine: kernel.Kernel) -> None:
    rng = torch.Generator().manual_seed(3)
    weight, scales = _weights(OUTPUTS, INPUTS, rng)
    x = torch.randn(150, INPUTS, generator=rng).bfloat16()
    packed = kernel.pack_int8(weight)
    together = engine.int8_linear(x, packed, scales, None)
    for row in (0, 77, 149):
        assert torch.equal(engine.int8_linear(x[row : row + 1], packed, scales, None)[0], together[row])


def _stock_kernel(**config: bool) -> Any:
    usual = {"is_channelwise": True, "input_symmetric": True, "is_static_input_scheme": False}
    return SimpleNamespace(
        layer_param_names=("weight", "weight_scale", "input_scale", "input_zero_point", "azp_adj"),
        config=SimpleNamespace(**{**usual, **config}),
    )


@pytest.mark.parametrize(
    ("config", "outputs", "lora", "dtype", "taken"),
    [
        ({}, OUTPUTS, True, torch.bfloat16, True),
        ({"is_static_input_scheme": True}, OUTPUTS, True, torch.bfloat16, False),
        ({"input_symmetric": False}, OUTPUTS, True, torch.bfloat16, False),
        ({"is_channelwise": False}, OUTPUTS, True, torch.bfloat16, False),
        ({}, OUTPUTS + 16, True, torch.bfloat16, False),
        ({}, OUTPUTS, False, torch.bfloat16, False),
        ({}, OUTPUTS, True, torch.float32, False),
    ],
)
def test_what_is_taken_and_what_stays_with_vllm(
    engine: kernel.Kernel,
    config: dict[str, bool],
    outputs: int,
    lora: bool,
    dtype: torch.dtype,
    taken: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(int8_linear, "never_compiled", lambda: lora)
    monkeypatch.setattr(torch, "get_default_dtype", lambda: dtype)
    monkeypatch.setattr("vllm.model_executor.layers.utils.check_cpu_sgl_kernel", lambda *_: False)
    rng = torch.Generator().manual_seed(5)
    weight, scales = _weights(outputs, INPUTS, rng)
    layer = torch.nn.Module()
    layer.weight = torch.nn.Parameter(weight, requires_grad=False)
    layer.weight_scale = torch.nn.Parameter(scales[:, None], requires_grad=False)
    asked: list[str] = []
    process = int8_linear._process(lambda *_: asked.append("load"))
    apply = int8_linear._apply(lambda *_: asked.append("apply") or "stock", engine)
    stock = _stock_kernel(**config)
    process(stock, layer)
    x = torch.randn(2, 3, INPUTS, generator=rng).bfloat16()
    y = apply(stock, layer, x)
    assert asked == ([] if taken else ["load", "apply"])
    if taken:
        assert layer.weight is None, "one copy only"
        wanted = (rounded(x.view(6, INPUTS)) @ weight.double().t() * scales.double()).view(2, 3, outputs)
        torch.testing.assert_close(y.double(), wanted, rtol=0.02, atol=wanted.abs().max().item() / 100)
