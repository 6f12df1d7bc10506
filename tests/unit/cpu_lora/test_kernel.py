"""The compiled kernel alone: every tail length, rounding to nearest even, and its absence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from server.cpu_lora import kernel


@pytest.fixture(scope="module")
def engine() -> kernel.Kernel:
    loaded = kernel.load_kernel(True)
    if loaded is None:
        pytest.skip("no AVX-512 BF16 or no C++ compiler here")
    return loaded


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
    engine.add(y, x, table)
    torch.testing.assert_close(y.float(), wanted.bfloat16().float(), rtol=1e-2, atol=1e-2)


def test_zero_rank_and_no_products_leave_y_alone(engine: kernel.Kernel) -> None:
    y = torch.randn(2, 32).bfloat16()
    before = y.clone()
    engine.add(y, y, np.zeros(0, dtype=kernel.PRODUCT))
    assert torch.equal(y, before)


def test_without_a_compiler_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert kernel.load_kernel(True) is None


def test_switched_off_there_is_no_kernel() -> None:
    assert kernel.load_kernel(False) is None
