"""vLLM's C++ operators answer as its PyTorch-native layers do, and the replacement happens once."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import vllm.config
from vllm.config import VllmConfig, set_current_vllm_config
from vllm.model_executor.layers.activation import SiluAndMul
from vllm.model_executor.layers.layernorm import RMSNorm
from vllm.model_executor.layers.rotary_embedding.base import RotaryEmbedding
from vllm.platforms import current_platform

from server.cpu_lora import eager_ops


@pytest.fixture(autouse=True)
def kernels(vllms_own: None) -> Iterator[None]:
    current_platform.import_kernels()
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_views_into_the_packed_qkv_answer_the_same(dtype: torch.dtype) -> None:
    """Qwen3 norms heads, and Llama rotates queries and keys, that are not dense in memory."""
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 2e-2}
    rotary, norm = RotaryEmbedding(32, 32, 64, 10000.0, True, dtype), RMSNorm(32, dtype=dtype)
    torch.nn.init.normal_(norm.weight)
    positions, packed = torch.tensor([0, 5, 63]), torch.randn(3, 128).to(dtype)

    def answers() -> tuple[torch.Tensor, ...]:
        query, key, _ = packed.clone().split([64, 32, 32], dim=-1)
        normed = RMSNorm.forward_native(norm, query.view(3, 2, 32))
        residual = RMSNorm.forward_native(norm, packed.clone()[:, :32], packed.clone()[:, 32:64])
        return normed, *residual, *RotaryEmbedding.forward_native(rotary, positions, query, key)

    wanted = [answer.clone() for answer in answers()]
    eager_ops.use()
    for got, expected in zip(answers(), wanted, strict=True):
        torch.testing.assert_close(got, expected, **tolerance)


def test_replaces_once() -> None:
    eager_ops.use()
    first = RMSNorm.forward_native
    eager_ops.use()
    assert RMSNorm.forward_native is first


@pytest.mark.parametrize("lora", [None, object()])
def test_attention_is_called_directly_where_nothing_compiles(monkeypatch: pytest.MonkeyPatch, lora: object) -> None:
    from vllm.model_executor.layers.attention import Attention

    def stock(self: Any) -> None:
        self.use_direct_call = False

    monkeypatch.setattr(Attention, "__init__", stock)
    eager_ops.call_attention_directly()
    eager_ops.call_attention_directly()
    layer = Attention.__new__(Attention)
    monkeypatch.setattr(vllm.config, "get_current_vllm_config_or_none", lambda: SimpleNamespace(lora_config=lora))
    Attention.__init__(layer)
    assert layer.__dict__["use_direct_call"] is (lora is not None)


def test_ranks_are_vllms_own_without_its_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    from vllm.v1.sample import sampler
    from vllm.v1.sample.ops.logprobs import batched_count_greater_than as compiled

    monkeypatch.setattr(sampler, "batched_count_greater_than", compiled)
    logprobs = torch.randn(3, 50, generator=torch.Generator().manual_seed(1)).round(decimals=1)  # equal ones, too
    chosen = logprobs.gather(1, torch.tensor([[4], [0], [49]]))
    eager_ops.count_ranks()
    wanted = [sum(bool(one >= its) for one in row) for row, its in zip(logprobs, chosen[:, 0], strict=True)]
    assert sampler.batched_count_greater_than(logprobs, chosen).tolist() == wanted
    assert not hasattr(sampler.batched_count_greater_than, "_torchdynamo_orig_callable")
    assert hasattr(compiled, "_torchdynamo_orig_callable")
