"""Norms and activations by vLLM's own C++ operators where the model runs without torch.compile.

vLLM's CPU backend leaves RMSNorm, SiLU-and-multiply and rotary embeddings to torch.compile, and turns torch.compile
off when LoRA is on: each norm then is a dozen PyTorch calls. The C++ operators are in the CPU build; these call them.
While torch.compile traces, the originals answer, so that it can fuse them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from server.cpu_lora.patching import patch_once

Forward = Callable[..., Any]


def use() -> None:
    """Replace the three layers' PyTorch-native forwards, once."""
    from vllm.model_executor.layers.activation import SiluAndMul  # heavy
    from vllm.model_executor.layers.layernorm import RMSNorm
    from vllm.model_executor.layers.rotary_embedding.base import RotaryEmbedding

    patch_once(RMSNorm, "forward_native", _norm)
    patch_once(SiluAndMul, "forward_native", _activation)
    patch_once(RotaryEmbedding, "forward_native", lambda stock: _rotary(stock, RotaryEmbedding.forward_cpu))


def _dense(x: torch.Tensor, residual: torch.Tensor | None) -> bool:
    return residual is None or (x.is_contiguous() and residual.is_contiguous())


def _norm(stock: Forward) -> Forward:
    def forward_native(self: Any, x: torch.Tensor, residual: torch.Tensor | None = None) -> Any:
        """x [..., hidden] normalized; with `residual`, x + residual normalized and the sum, both in place."""
        plain = self.variance_size_override is None and self.has_weight and self.weight.dtype == x.dtype
        if torch.compiler.is_compiling() or not plain or not _dense(x, residual):
            return stock(self, x, residual)
        if residual is None:
            out = torch.empty(x.shape, dtype=x.dtype)
            # The operator reads x as if it were dense; Qwen3 norms heads that are views into the packed QKV.
            torch.ops._C.rms_norm(out, x.contiguous(), self.weight.data, self.variance_epsilon)
            return out
        torch.ops._C.fused_add_rms_norm(x, residual, self.weight.data, self.variance_epsilon)
        return x, residual

    return forward_native


def _activation(stock: Forward) -> Forward:
    def forward_native(*arguments: torch.Tensor) -> torch.Tensor:
        """[..., 2 d] -> [..., d]; the last argument is x, vLLM calls this with and without `self`."""
        x = arguments[-1]
        if torch.compiler.is_compiling() or not x.is_contiguous():
            return stock(x)  # type: ignore[no-any-return]
        out = torch.empty((*x.shape[:-1], x.shape[-1] // 2), dtype=x.dtype)
        torch.ops._C.silu_and_mul(out, x)
        return out

    return forward_native


def _rotary(stock: Forward, in_place: Forward) -> Forward:
    def forward_native(self: Any, positions: torch.Tensor, query: torch.Tensor, key: torch.Tensor | None = None) -> Any:
        """Rotates query and key [rows, heads * size] in place."""
        if torch.compiler.is_compiling():
            return stock(self, positions, query, key)
        return in_place(self, positions, query, key)

    return forward_native


def shorten_lookups() -> None:
    """Let a LoRA layer find its `base_layer` as a plain attribute, once.

    vLLM's `BaseLayerWithLoRA.__getattr__` is Python and answers a thousand times a step of a 30-layer model.
    """
    from vllm.lora.layers.base import BaseLayerWithLoRA  # heavy

    def remembering(stock: Forward) -> Forward:
        def set_mapping(self: Any, punica_wrapper: Any) -> None:
            stock(self, punica_wrapper)
            # torch.nn.Module removes this entry when a new base_layer is assigned, so it cannot go stale.
            self.__dict__["base_layer"] = self._modules["base_layer"]

        return set_mapping

    patch_once(BaseLayerWithLoRA, "set_mapping", remembering)


def call_attention_directly() -> None:
    """Let attention layers call their backend as GPUs without a compiler do, once.

    For torch.compile's sake vLLM's CPU backend hides attention and the cache's update in operators written in Python:
    a step of a 30-layer model goes through PyTorch's dispatcher into Python 60 times.
    """
    from vllm.model_executor.layers.attention import Attention  # heavy

    def direct(stock: Forward) -> Forward:
        def __init__(self: Any, *arguments: Any, **named: Any) -> None:
            stock(self, *arguments, **named)
            if never_compiled():
                self.use_direct_call = True

        return __init__

    patch_once(Attention, "__init__", direct)


def count_ranks() -> None:
    """Let PyTorch count the ranks of log-probabilities.

    vLLM compiles that sum at the first request that asks for them: for two to five seconds nobody is answered.
    """
    from vllm.v1.sample import sampler  # heavy

    patch_once(sampler, "batched_count_greater_than", lambda _stock: _counting())


def _counting() -> Forward:
    def ranks(logprobs: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """How many of a row of logprobs [rows, vocabulary] are at least chosen [rows, 1]: [rows]."""
        return (logprobs >= chosen).sum(-1)

    return ranks


def never_compiled() -> bool:
    """Whether the model that is being built serves LoRA: on a CPU vLLM then never compiles it."""
    from vllm.config import get_current_vllm_config_or_none

    config = get_current_vllm_config_or_none()
    return config is not None and config.lora_config is not None
