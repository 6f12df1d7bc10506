"""The embedding, and the head that is tied to it, in eight bits on a CPU: one copy serves both.

vLLM keeps them in bfloat16 under every quantization, and oneDNN's packed copy of the head beside them; in a small model
that is a fifth of the weights and more. Here each row is rounded to int8 with a scale of its own when the weights have
been loaded. Our kernel multiplies by them packed, and the lookup reads them there; without the kernel PyTorch's
`_weight_int8pack_mm` multiplies by the rows as they lie, which takes ten times as long for 32 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from server.cpu_lora import kernel
from server.cpu_lora.patching import patch_once

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

    def rows(self, weight: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """The embeddings (tokens, width) in bfloat16."""
        return functional.embedding(tokens, weight).to(torch.bfloat16) * self._scales[tokens][..., None]


class PackedHead:
    """The same by our kernel, which rounds the hidden states too; `packed` as `kernel.pack_int8` lays it out."""

    def __init__(self, engine: kernel.Kernel, packed: torch.Tensor, scales: torch.Tensor) -> None:
        self._engine, self._packed, self._scales = engine, packed, scales

    def __call__(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """`weight` is not read: it is `packed`, in the shape that vLLM expects."""
        return self._engine.int8_linear(x.contiguous(), self._packed, self._scales, bias)

    def rows(self, weight: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """The embeddings (tokens, width) in bfloat16, from where they lie in the packed matrix."""
        found = self._packed[tokens // kernel.BLOCK, :, tokens % kernel.BLOCK]
        whole = (found.reshape(*tokens.shape, -1) ^ 128).view(torch.int8).to(torch.bfloat16)
        return whole * self._scales[tokens].to(torch.bfloat16)[..., None]


def use(engine: kernel.Kernel | None) -> None:
    """Give vLLM's unquantized embeddings these two methods; calling it again changes nothing."""
    from vllm.model_executor.layers.vocab_parallel_embedding import UnquantizedEmbeddingMethod  # heavy

    patch_once(UnquantizedEmbeddingMethod, "process_weights_after_loading", lambda stock: _rounding(stock, engine))
    patch_once(UnquantizedEmbeddingMethod, "embedding", _looking_up)


def _rounding(stock: Callable[[Any, Any], None], engine: kernel.Kernel | None) -> Callable[[Any, Any], None]:
    def process(self: Any, layer: Any) -> None:
        weight = layer.weight
        if weight.dtype == torch.bfloat16 and weight.ndim == 2 and not weight.is_meta:
            # The parameter object stays: embedding and head share it, and LoRA layers ask for its device and shape.
            rounded, scales = round_rows(weight.data)
            weight.data, weight.head = _laid_out(rounded, scales, engine)
        if not hasattr(weight, "head"):
            stock(self, layer)
            return
        layer.cpu_linear = weight.head

    return process


def _laid_out(
    rounded: torch.Tensor, scales: torch.Tensor, engine: kernel.Kernel | None
) -> tuple[torch.Tensor, Int8Head | PackedHead]:
    """What lies in memory, in the shape of the rows, and who multiplies by it."""
    if engine is None or not kernel.packable_int8(rounded):
        return rounded, Int8Head(scales)
    packed = kernel.pack_int8(rounded)
    return packed.view(torch.int8).view(rounded.shape), PackedHead(engine, packed, scales.float())


def _looking_up(stock: Callable[[Any, Any, Any], torch.Tensor]) -> Callable[[Any, Any, Any], torch.Tensor]:
    def embedding(self: Any, layer: Any, tokens: torch.Tensor) -> torch.Tensor:
        head = getattr(layer.weight, "head", None)
        return stock(self, layer, tokens) if head is None else head.rows(layer.weight, tokens)

    return embedding
