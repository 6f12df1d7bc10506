"""The embedding in eight bits: close row by row, one copy for lookup and logits, equal alone and beside others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from server.cpu_lora import int8_embedding
from server.cpu_lora.int8_embedding import Int8Head, round_rows

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


def test_embedding_and_head_share_one_copy() -> None:
    from vllm.model_executor.layers.vocab_parallel_embedding import UnquantizedEmbeddingMethod

    method: Any = UnquantizedEmbeddingMethod
    stock = method.process_weights_after_loading, method.embedding
    try:
        int8_embedding.use()
        int8_embedding.use()
        ours: Any = method()
        original = _weight(2)
        parameter = torch.nn.Parameter(original.clone(), requires_grad=False)
        embed, head = SimpleNamespace(weight=parameter), SimpleNamespace(weight=parameter)
        ours.process_weights_after_loading(embed)
        ours.process_weights_after_loading(head)
        assert head.weight is embed.weight
        assert embed.weight.dtype == torch.int8
        tokens = torch.tensor([5, 600, 5])
        rows = ours.embedding(embed, tokens)
        assert rows.dtype == torch.bfloat16
        assert (rows - original[tokens]).abs().max() <= 0.02 * original[tokens].abs().max()
        logits = head.cpu_linear(original[tokens], head.weight, None)
        assert logits.argmax(1).tolist() == (original[tokens].float() @ original.float().T).argmax(1).tolist()
    finally:
        method.process_weights_after_loading, method.embedding = stock
        del method.rounds_to_int8
