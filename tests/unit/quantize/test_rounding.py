"""The arithmetic: every weight is within half a step of its group's scale; what is packed is what it stands for."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.quantize.gptq import gptq
from adapters.quantize.methods import METHODS
from adapters.quantize.rounding import round_to_nearest, scheme_of

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 4))
SPREADS = st.sampled_from([1e-4, 0.02, 1.0, 300.0])


def weights(rows: int, columns: int, seed: int, spread: float) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * spread


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.sampled_from([2, 32, 64]), st.integers(0, 999), SPREADS)
def test_int4_is_within_half_a_step_of_every_group(
    shape: tuple[int, int], group: int, seed: int, spread: float
) -> None:
    rows, groups = shape
    weight = weights(rows, groups * group, seed, spread)
    rounded = round_to_nearest(weight, scheme_of(METHODS["int4"], group), "pack-quantized")
    scales = rounded.stored["weight_scale"]
    assert scales.shape == (rows, groups)
    assert scales.dtype == torch.bfloat16
    # The grid reaches from -8 to 7 steps: a group's largest weight may be clamped by half a step more, and the scale
    # itself is rounded to bfloat16.
    step = scales.float().repeat_interleave(group, dim=1)
    assert ((rounded.weight - weight).abs() <= step * 0.54).all()


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.integers(0, 999), SPREADS)
def test_int8_is_within_half_a_step_of_every_channel(shape: tuple[int, int], seed: int, spread: float) -> None:
    rows, columns = shape[0], shape[1] * 16
    weight = weights(rows, columns, seed, spread)
    rounded = round_to_nearest(weight, scheme_of(METHODS["int8"], None), "int-quantized")
    assert rounded.stored["weight"].dtype == torch.int8
    assert rounded.stored["weight_scale"].shape == (rows, 1)
    assert ((rounded.weight - weight).abs() <= rounded.stored["weight_scale"].float() * 0.501).all()


@pytest.mark.parametrize("method", ["int8", "int4"])
def test_zeros_stay_zeros(method: str) -> None:
    scheme = scheme_of(METHODS[method], METHODS[method].group)
    rounded = round_to_nearest(torch.zeros(4, 64), scheme, METHODS[method].stored)
    assert (rounded.weight == 0).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 999), st.sampled_from([16, 32, 64]))
def test_gptq_gives_points_of_the_grid(seed: int, group: int) -> None:
    """Rounding its result again changes nothing: what it computed with is what gets stored."""
    args = scheme_of(METHODS["gptq"], group).weights
    assert args is not None
    inputs = weights(200, 192, seed + 1, 1.0)
    weight, scales = gptq(weights(8, 192, seed, 0.05), inputs.T @ inputs, args)
    steps = weight / scales.float().repeat_interleave(group, dim=1)
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert steps.round().abs().max() <= 8


@pytest.mark.parametrize("seed", range(5))
def test_gptq_loses_less_of_the_output_than_rounding(seed: int) -> None:
    """Inputs that go together, as a model's do: the error of the layer's output is what GPTQ makes small."""
    scheme = scheme_of(METHODS["gptq"], 32)
    assert scheme.weights is not None
    mix = weights(12, 128, seed, 1.0)
    inputs = weights(600, 12, seed + 50, 1.0) @ mix + weights(600, 128, seed + 90, 0.1)
    weight = weights(16, 128, seed + 20, 0.05)
    ours, _ = gptq(weight, inputs.T @ inputs, scheme.weights)
    nearest = round_to_nearest(weight, scheme, "pack-quantized").weight

    def loss(rounded: torch.Tensor) -> float:
        return float(((rounded - weight) @ inputs.T).square().sum())

    assert loss(ours) < 0.5 * loss(nearest)


def test_gptq_of_inputs_that_do_not_go_together_is_rounding() -> None:
    """With a diagonal matrix of second moments no column can make up for another."""
    scheme = scheme_of(METHODS["gptq"], 32)
    assert scheme.weights is not None
    weight = weights(8, 96, 3, 0.05)
    ours, _ = gptq(weight, torch.diag(torch.rand(96) + 0.5), scheme.weights)
    assert torch.allclose(ours, round_to_nearest(weight, scheme, "pack-quantized").weight, atol=1e-6)


def test_gptq_takes_inputs_that_are_always_zero() -> None:
    scheme = scheme_of(METHODS["gptq"], 32)
    assert scheme.weights is not None
    inputs = weights(100, 64, 1, 1.0)
    inputs[:, 5] = 0
    weight, _ = gptq(weights(4, 64, 2, 0.1), inputs.T @ inputs, scheme.weights)
    assert torch.isfinite(weight).all()
    assert (weight[:, 5] == 0).all()
