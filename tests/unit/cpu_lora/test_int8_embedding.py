"""The embedding in eight bits: close row by row, one copy for lookup and logits, equal alone and beside others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from server.cpu_lora import int8_embedding, kernel
from server.cpu_lora.int8_embedding import Int8Head, PackedHead, round_rows
from tests.unit.cpu_lora.test_int8_linear import rounded

ROWS, WIDTH = 640, 96


def _weight(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    spread = torch.rand(ROWS, 1, generator=generator) * 3
    return (torch.randn(ROWS, WIDTH, generator=generator) * spread).to(torch.bfloat16)


def test_rows_are_within_half_a_step() -> None:
    weight = _weight()
    weight[7] = 0
    rounded, scales = round_rows(weight)
    step = scales.float()[:, None]
    # The scale is itself rounded to bfloat16: the largest weight may be clamped by a third of a step more.
    assert ((rounded * step - weight.float()).abs() <= 0.85 * step).all()
    assert (rounded[7] == 0).all()


@pytest.mark.parametrize("rows", [1, 3, 8, 40])
def test_logits_are_the_product_with_the_rounded_rows(rows: int) -> None:
    rounded, scales = round_rows(_weight())
    hidden = torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    logits = Int8Head(scales)(hidden, rounded, None)
    wanted = hidden.double() @ (rounded.double() * scales.double()[:, None]).T
    assert (logits.double() - wanted).abs().max() <= 0.01 * wanted.abs().max()
    for row in range(rows):
        assert torch.equal(Int8Head(scales)(hidden[row : row + 1], rounded, None)[0], logits[row])


@pytest.mark.parametrize("rows", [1, 3, 8, 40])
def test_logits_by_the_kernel(engine: kernel.Kernel, rows: int) -> None:
    rounded_rows, scales = round_rows(_weight())
    hidden = torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    head = PackedHead(engine, kernel.pack_int8(rounded_rows), scales.float())
    logits = head(hidden, rounded_rows, None)
    wanted = rounded(hidden) @ (rounded_rows.double() * scales.double()[:, None]).T
    torch.testing.assert_close(logits.double(), wanted, rtol=1 / 250, atol=1e-6)


@pytest.mark.parametrize("compiled", [True, False])
def test_embedding_and_head_share_one_copy(engine: kernel.Kernel, compiled: bool) -> None:
    from vllm.model_executor.layers.vocab_parallel_embedding import UnquantizedEmbeddingMethod

    method: Any = UnquantizedEmbeddingMethod
    stock = method.process_weights_after_loading, method.embedding
    try:
        int8_embedding.use(engine if compiled else None)
        int8_embedding.use(None)
        ours: Any = method()
        original = _weight(2)
        parameter = torch.nn.Parameter(original.clone(), requires_grad=False)
        embed, head = SimpleNamespace(weight=parameter), SimpleNamespace(weight=parameter)
        ours.process_weights_after_loading(embed)
        ours.process_weights_after_loading(head)
        assert head.weight is embed.weight
        assert embed.weight.dtype == torch.int8
        assert embed.weight.shape == original.shape
        assert type(head.cpu_linear) is (PackedHead if compiled else Int8Head)
        assert embed.cpu_linear is head.cpu_linear
        tokens = torch.tensor([5, 600, 5])
        rows = ours.embedding(embed, tokens)
        assert rows.dtype == torch.bfloat16
        assert (rows - original[tokens]).abs().max() <= 0.02 * original[tokens].abs().max()
        many = ours.embedding(embed, torch.arange(ROWS).view(2, -1))
        assert many.shape == (2, ROWS // 2, WIDTH)
        stored, scales = round_rows(original)
        assert torch.equal(many.view(ROWS, WIDTH), stored.bfloat16() * scales[:, None])
        logits = head.cpu_linear(original[tokens], head.weight, None)
        assert logits.argmax(1).tolist() == (original[tokens].float() @ original.float().T).argmax(1).tolist()
    finally:
        method.process_weights_after_loading, method.embedding = stock
