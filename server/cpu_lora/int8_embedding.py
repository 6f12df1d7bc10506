"""The embedding, and the head that is tied to it, in eight bits on a CPU: one copy serves both.

vLLM keeps them in bfloat16 under every quantization, and oneDNN's packed copy of the head beside them; in a small model
that is a fifth of the weights and more. Here each row is rounded to int8 with a scale of its own when the weights have
been loaded. PyTorch's `_weight_int8pack_mm` multiplies by the rows as they lie, so that the lookup can read them too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

_TOP = 127


def round_rows(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(int8 rows, bfloat16 scale a row) of a weight (rows, width); block by block, to need little memory beside it."""
    rounded = torch.empty(weight.shape, dtype=torch.int8)
    scales = torch.empty(weight.shape[0], dtype=torch.bfloat16)
    for start in range(0, weight.shape[0], 4096):
        block = weight[start : start + 4096].float()
        scale = (block.abs().amax(1) / _TOP).clamp_min(torch.finfo(torch.bfloat16).tiny).to(torch.bfloat16)
        scales[start : start + 4096] = scale
        rounded[start : start + 4096] = (block / scale.float()[:, None]).round().clamp(-_TOP, _TOP).to(torch.int8)
    return rounded, scales


class Int8Head:
    """Takes the place of a layer's `cpu_linear`: logits (rows, vocabulary) from hidden states in bfloat16."""

    def __init__(self, scales: torch.Tensor) -> None:
        self._scales = scales

    def __call__(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """`weight`: the int8 rows."""
        logits = torch._weight_int8pack_mm(x.contiguous(), weight, self._scales)
        return logits if bias is None else logits + bias


def use() -> None:
    """Give vLLM's unquantized embeddings these two methods; calling it again changes nothing."""
    from vllm.model_executor.layers.vocab_parallel_embedding import UnquantizedEmbeddingMethod  # heavy

    method: Any = UnquantizedEmbeddingMethod
    if getattr(method, "rounds_to_int8", False):
        return
    method.process_weights_after_loading = _rounding(method.process_weights_after_loading)
    method.embedding = _looking_up(method.embedding)
    method.rounds_to_int8 = True


def _rounding(stock: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def process(self: Any, layer: Any) -> None:
        weight = layer.weight
        if weight.dtype == torch.bfloat16 and weight.ndim == 2 and not weight.is_meta:
            # The parameter object stays: embedding and head share it, and LoRA layers ask for its device.
            weight.data, weight.row_scales = round_rows(weight.data)
        if weight.dtype != torch.int8:
            stock(self, layer)
            return
        layer.cpu_linear = Int8Head(weight.row_scales)

    return process


def _looking_up(stock: Callable[[Any, Any, Any], torch.Tensor]) -> Callable[[Any, Any, Any], torch.Tensor]:
    def embedding(self: Any, layer: Any, tokens: torch.Tensor) -> torch.Tensor:
        weight = layer.weight
        if weight.dtype != torch.int8:
            return stock(self, layer, tokens)
        rows = functional.embedding(tokens, weight).to(torch.bfloat16)
        return rows * functional.embedding(tokens, weight.row_scales[:, None])

    return embedding
