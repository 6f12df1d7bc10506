"""vLLM's C++ operators answer as its PyTorch-native layers do, and the replacement happens once."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from vllm.config import VllmConfig, set_current_vllm_config
from vllm.model_executor.layers.activation import SiluAndMul
from vllm.model_executor.layers.layernorm import RMSNorm
from vllm.model_executor.layers.rotary_embedding.base import RotaryEmbedding
from vllm.platforms import current_platform

from server.cpu_lora import eager_ops


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    current_platform.import_kernels()
    for layer in (RMSNorm, RotaryEmbedding):
        monkeypatch.setattr(layer, "forward_native", layer.forward_native)
    monkeypatch.setattr(SiluAndMul, "forward_native", staticmethod(SiluAndMul.forward_native))
    with set_current_vllm_config(VllmConfig()):
        yield


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 7])
def test_same_answers(rows: int, dtype: torch.dtype) -> None:
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 2e-2}
    torch.manual_seed(rows)
    norm = RMSNorm(96, dtype=dtype)
    torch.nn.init.normal_(norm.weight)
    x, residual = torch.randn(rows, 96).to(dtype), torch.randn(rows, 96).to(dtype)
    wide = torch.randn(rows, 128).to(dtype)
    wanted = (RMSNorm.forward_native(norm, x.clone()), RMSNorm.forward_native(norm, x.clone(), residual.clone()))
    wanted_silu = SiluAndMul.forward_native(wide.clone())
    eager_ops.use()
    torch.testing.assert_close(RMSNorm.forward_native(norm, x.clone()), wanted[0], **tolerance)
    torch.testing.assert_close(RMSNorm.forward_native(norm, x.clone(), residual.clone()), wanted[1], **tolerance)
    torch.testing.assert_close(SiluAndMul.forward_native(wide.clone()), wanted_silu, **tolerance)
    assert SiluAndMul.forward_native(SimpleNamespace(), wide).shape == (rows, 64)


def test_rotary_answers_the_same() -> None:
    rotary = RotaryEmbedding(32, 32, 64, 10000.0, True, torch.float32)
    positions, query, key = torch.tensor([0, 5, 63]), torch.randn(3, 64), torch.randn(3, 32)
    wanted = RotaryEmbedding.forward_native(rotary, positions, query.clone(), key.clone())
    eager_ops.use()
    got = RotaryEmbedding.forward_native(rotary, positions, query.clone(), key.clone())
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


def test_replaces_once() -> None:
    eager_ops.use()
    first = RMSNorm.forward_native
    eager_ops.use()
    assert RMSNorm.forward_native is first
