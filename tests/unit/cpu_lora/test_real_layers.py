"""vLLM's own linear and LoRA layers, loaded and run as its CPU worker does, with our kernel in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from vllm.config.lora import LoRAConfig
from vllm.lora.layers import MergedQKVParallelLinearWithLoRA, RowParallelLinearWithLoRA
from vllm.model_executor.layers.linear import QKVParallelLinear, RowParallelLinear
from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead, VocabParallelEmbedding
from vllm.platforms import current_platform

from server.cpu_lora import linear, reference
from server.cpu_lora.kernel import Kernel, load_kernel
from tests.unit.cpu_lora.batches import Batch, agree, wrapper_for
from tests.unit.cpu_lora.conftest import one_rank

HIDDEN, RANK, SLOTS = 96, 8, 3
MIXED = (0, -1, 2, 0, 1)


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    loaded = load_kernel(True)
    if loaded is None:
        pytest.skip("need AVX-512 BF16 and a C++ compiler")
    return loaded


@pytest.fixture(params=[True, False], ids=["packed only", "beside oneDNN"])
def lora_config(
    request: pytest.FixtureRequest, kernel: Kernel, vllms_own: None, tmp_path: Path
) -> Iterator[LoRAConfig]:
    current_platform.import_kernels()
    config = LoRAConfig(max_lora_rank=RANK, max_loras=SLOTS, lora_dtype=torch.bfloat16)
    with one_rank(config, tmp_path):
        linear.use(kernel, request.param)
        yield config


def _loaded(layer: Any, rng: torch.Generator) -> torch.Tensor:
    weight = (torch.randn(layer.weight.shape, generator=rng) / HIDDEN**0.5).bfloat16()
    layer.weight.data.copy_(weight)
    layer.quant_method.process_weights_after_loading(layer)
    return weight


def _with_lora(layer: Any, sizes: list[int], inputs: int, config: LoRAConfig, rng: torch.Generator) -> None:
    layer.create_lora_weights(SLOTS, config)
    for slot in range(SLOTS):
        a = [torch.randn(RANK, inputs, generator=rng).bfloat16() / inputs**0.5 for _ in sizes]
        b = [torch.randn(size, RANK, generator=rng).bfloat16() for size in sizes]
        layer.set_lora(slot, a if len(sizes) > 1 else a[0], b if len(sizes) > 1 else b[0])


@pytest.mark.parametrize("slots", [(0,), (-1,), MIXED, MIXED * 5], ids=["one", "base", "mixed", "many rows"])
@pytest.mark.parametrize("kind", ["qkv", "row"])
def test_a_layer_agrees_with_float64(lora_config: LoRAConfig, kind: str, slots: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(len(slots))
    layer: Any
    if kind == "qkv":
        base = QKVParallelLinear(HIDDEN, 32, 3, 1, bias=False, params_dtype=torch.bfloat16)
        weight, sizes = _loaded(base, rng), [96, 32, 32]
        layer = MergedQKVParallelLinearWithLoRA(base)
    else:
        base = RowParallelLinear(HIDDEN, 64, bias=False, params_dtype=torch.bfloat16)
        weight, sizes = _loaded(base, rng), [64]
        layer = RowParallelLinearWithLoRA(base)
    assert type(base.cpu_linear) is linear.PackedLinear
    _with_lora(layer, sizes, HIDDEN, lora_config, rng)
    batch = Batch(slots, SLOTS, 0, False, torch.bfloat16, 1)
    layer.set_mapping(wrapper_for(batch))
    x = torch.randn(len(slots), HIDDEN, generator=rng).bfloat16()
    wanted = reference.linear(
        x.double() @ weight.double().t(),
        x,
        a_stacked=layer.lora_a_stacked,
        b_stacked=layer.lora_b_stacked,
        output_slices=sizes,
        slots=slots,
    )
    for _ in range(2):
        got, bias = layer(x)
        agree(got, wanted, torch.bfloat16)
        assert bias is None


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_a_tied_head_agrees_with_float64_and_is_packed_once(
    lora_config: LoRAConfig, rows: int, request: pytest.FixtureRequest
) -> None:
    rng = torch.Generator().manual_seed(rows)
    embedding: Any = VocabParallelEmbedding(192, HIDDEN, params_dtype=torch.bfloat16)
    head: Any = ParallelLMHead(192, HIDDEN, params_dtype=torch.bfloat16).tie_weights(embedding)
    weight = (torch.randn(embedding.weight.shape, generator=rng) / HIDDEN**0.5).bfloat16()
    embedding.weight.data.copy_(weight)
    for layer in (embedding, head):
        layer.quant_method.process_weights_after_loading(layer)
    x, bias = torch.randn(rows, HIDDEN, generator=rng).bfloat16(), torch.randn(192, generator=rng).bfloat16()
    wanted = x.double() @ weight.double().t()
    agree(head.quant_method.apply(head, x), wanted, torch.bfloat16)
    agree(head.quant_method.apply(head, x, bias), wanted + bias.double(), torch.bfloat16)
    assert torch.equal(embedding(torch.arange(5)), weight[:5])
    packed_only = bool(request.node.callspec.params["lora_config"])
    assert (type(head.cpu_linear) is linear.HeadLinear) is packed_only
    if packed_only:
        packed = head.weight.__dict__["cni_packed"]
        head.quant_method.apply(head, x)
        assert head.weight.__dict__["cni_packed"] is packed is embedding.weight.__dict__["cni_packed"]
