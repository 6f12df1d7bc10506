"""The compiled kernel alone: every tail length, rounding to nearest even, and its absence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from server.cpu_lora import build, kernel


@pytest.mark.parametrize("inputs", [1, 31, 64, 65, 576])
@pytest.mark.parametrize("outputs", [1, 31, 32, 33, 192])
@pytest.mark.parametrize("rank", [1, 8, 16])
def test_agrees_with_float32(engine: kernel.Kernel, inputs: int, outputs: int, rank: int) -> None:
    rng = torch.Generator().manual_seed(inputs * outputs + rank)
    x = torch.randn(5, inputs, generator=rng).bfloat16()
    y = torch.randn(5, outputs + 7, generator=rng).bfloat16()
    a = (torch.randn(rank, inputs, generator=rng) / inputs**0.5).bfloat16()
    b = torch.randn(rank, outputs, generator=rng).bfloat16()
    rows = torch.tensor([0, 3])
    wanted = y.float()
    wanted[rows, 4 : 4 + outputs] += (x[rows].float() @ a.float().t()) @ b.float()
    table = np.zeros(1, dtype=kernel.PRODUCT)
    table[0] = (a.data_ptr(), b.data_ptr(), rows.data_ptr(), len(rows), rank, inputs, outputs, 4)
    engine.add(y, x, (table.ctypes.data, 1, 1, 1))
    torch.testing.assert_close(y.float(), wanted.bfloat16().float(), rtol=1e-2, atol=1e-2)


def test_zero_rank_and_no_products_leave_y_alone(engine: kernel.Kernel) -> None:
    y = torch.randn(2, 32).bfloat16()
    before = y.clone()
    engine.add(y, y, kernel.NOTHING)
    table = np.zeros((2, 3), dtype=kernel.PRODUCT)  # two groups of three slices, all of rank 0: no address is read
    engine.add(y, y, (table.ctypes.data, 2, 3, 3))
    assert torch.equal(y, before)


def test_without_a_compiler_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert kernel.load_kernel(True) is None


def test_a_library_without_this_processors_functions_is_no_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a compiler leaves that does not know the processor's bfloat16 instructions."""
    source = tmp_path / "empty.cpp"
    source.write_text('extern "C" void cni_lora_add() {}')
    library = tmp_path / "empty.so"
    subprocess.run(["g++", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    monkeypatch.setattr(build, "built", lambda: library)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: True)
    assert kernel.load_kernel(True) is None


def test_switched_off_there_is_no_kernel() -> None:
    assert kernel.load_kernel(False) is None


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 6, 7, 16])
@pytest.mark.parametrize(("inputs", "outputs"), [(2, 32), (62, 96), (96, 160), (576, 960)])
@pytest.mark.parametrize("biased", [False, True])
def test_linear_with_two_adapters_agrees_with_float32(
    engine: kernel.Kernel, rows: int, inputs: int, outputs: int, biased: bool
) -> None:
    rng = torch.Generator().manual_seed(rows * outputs + inputs)
    wide = torch.randn(rows, inputs + 8, generator=rng).bfloat16()
    x = wide[:, :inputs]  # rows that do not follow each other in memory
    weight = (torch.randn(outputs, inputs, generator=rng) / inputs**0.5).bfloat16()
    bias = torch.randn(outputs, generator=rng).bfloat16() if biased else None
    wanted = x.float() @ weight.float().t() + (0 if bias is None else bias.float())
    table, kept = np.zeros(2, dtype=kernel.PRODUCT), []
    for place, (rank, size, offset) in enumerate([(16, outputs - 16, 0), (3, 16, outputs - 16)]):
        a = (torch.randn(rank, inputs, generator=rng) / inputs**0.5).bfloat16()
        b = torch.randn(rank, size, generator=rng).bfloat16()
        of = torch.arange(rows)[place::2].contiguous()
        wanted[of, offset : offset + size] += (x[of].float() @ a.float().t()) @ b.float()
        table[place] = (a.data_ptr(), b.data_ptr(), of.data_ptr(), len(of), rank, inputs, size, offset)
        kept += [a, b, of]
    got = engine.linear(x, kernel.pack(weight), bias, (table.ctypes.data, 2, 1, 1))
    torch.testing.assert_close(got.float(), wanted, rtol=2e-2, atol=2e-2)


def test_a_row_of_a_linear_layer_is_the_same_in_every_batch(engine: kernel.Kernel) -> None:
    rng = torch.Generator().manual_seed(1)
    x, weight = torch.randn(16, 576, generator=rng).bfloat16(), torch.randn(960, 576, generator=rng).bfloat16()
    packed = kernel.pack(weight)
    together = engine.linear(x, packed, None)
    for row in range(16):
        assert torch.equal(engine.linear(x[row : row + 1], packed, None)[0], together[row])


@pytest.mark.parametrize(
    ("weight", "fits"),
    [
        (torch.zeros(64, 6, dtype=torch.bfloat16), True),
        (torch.zeros(64, 6), False),
        (torch.zeros(60, 6, dtype=torch.bfloat16), False),
        (torch.zeros(64, 7, dtype=torch.bfloat16), False),
        (torch.zeros(6, 64, dtype=torch.bfloat16).t(), False),
    ],
)
def test_what_can_be_packed(weight: torch.Tensor, fits: bool) -> None:
    assert kernel.packable(weight) is fits
