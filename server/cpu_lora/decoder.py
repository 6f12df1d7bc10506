"""What the step kernel has to know of a model: one table of addresses a layer, read once from vLLM's modules.

`read_decoder` answers None for every model that it does not know to the last detail; vLLM's own code then runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from server.cpu_lora.int8_linear import weights_of
from server.cpu_lora.linear import PackedLinear

LINEARS = ("qkv", "o", "gate_up", "down")
_NORMS = ("input_norm", "q_norm", "k_norm", "post_norm")
_PARTS = ("w", "bias", "scales", "products", "slices")

LAYER = np.dtype(
    [*((f"{linear}_{part}", np.int64) for linear in LINEARS for part in _PARTS), *((n, np.int64) for n in _NORMS)]
)
"""The C++ struct `Layer` (native/step.hpp): addresses and numbers of slices, each of 8 bytes."""


@dataclass(frozen=True)
class Sizes:
    """In numbers: hidden size, query heads, key heads, a head's size, the MLP's inner size."""

    hidden: int
    heads: int
    kv_heads: int
    head: int
    inner: int


@dataclass(frozen=True)
class Decoder:
    """layers: dtype LAYER, without products; linears: the four layers that LoRA may have wrapped, for each layer;
    `kept` are the tensors behind the addresses."""

    sizes: Sizes
    layers: np.ndarray[tuple[int], np.dtype[np.void]]
    linears: tuple[tuple[Any, ...], ...]
    attentions: tuple[Any, ...]
    cos_sin: torch.Tensor
    final_norm: torch.Tensor
    eps: float
    head_eps: float
    kept: tuple[object, ...]


class _UnknownError(Exception):
    """The model has something that the kernel does not do."""


def read_decoder(model: Any) -> Decoder | None:
    """The decoder of a `LlamaModel` or `Qwen3Model` (vLLM 0.32) on one rank, or None.

    In bfloat16; its linear layers may have eight bits (`int8_linear.py`)."""
    try:
        return _read(model)
    except (_UnknownError, AttributeError):
        return None


def _read(model: Any) -> Decoder:
    layers = list(model.layers)
    _need(bool(layers) and model.start_layer == 0 and model.end_layer == len(layers))
    first = layers[0].self_attn
    rotary = first.rotary_emb
    inner = layers[0].mlp.down_proj.input_size
    sizes = Sizes(layers[0].hidden_size, first.num_heads, first.num_kv_heads, first.head_dim, inner)
    _need(sizes.head % 32 == 0 and sizes.hidden % 32 == 0 and inner % 32 == 0)
    _need(rotary.is_neox_style and rotary.rotary_dim == sizes.head and type(rotary).forward_cpu is _rotary_forward())
    kept: list[object] = []
    table = np.zeros(len(layers), dtype=LAYER)
    for row, layer in zip(table, layers, strict=True):
        _need(_known(layer) and layer.self_attn.rotary_emb is rotary)
        _fill(row, layer, kept)
        one = layer.self_attn.attn
        _need(type(one) is _attention() and one.attn_type == "decoder")
        _need(one.kv_sharing_target_layer_name is None and one.query_quant is None)
        _need((one.num_heads, one.num_kv_heads, one.head_size) == (sizes.heads, sizes.kv_heads, sizes.head))
    head_norm = getattr(first, "q_norm", None)
    return Decoder(
        sizes,
        table,
        tuple(_linears(layer) for layer in layers),
        tuple(layer.self_attn.attn for layer in layers),
        rotary.cos_sin_cache.to(torch.bfloat16).contiguous(),
        _norm(model.norm, kept),
        _eps(
            [layer.input_layernorm for layer in layers]
            + [layer.post_attention_layernorm for layer in layers]
            + [model.norm]
        ),
        0.0 if head_norm is None else _eps([n for x in layers for n in (x.self_attn.q_norm, x.self_attn.k_norm)]),
        tuple(kept),
    )


def _rotary_forward() -> Any:
    from vllm.model_executor.layers.rotary_embedding.base import RotaryEmbedding  # heavy

    return RotaryEmbedding.forward_cpu


def _attention() -> Any:
    from vllm.model_executor.layers.attention import Attention  # heavy

    return Attention


def _known(layer: Any) -> bool:
    """Exact classes: a subclass may do more in its forward."""
    from vllm.model_executor.layers.activation import SiluAndMul  # heavy
    from vllm.model_executor.models import llama, qwen2, qwen3

    attentions = {llama.LlamaDecoderLayer: llama.LlamaAttention, qwen3.Qwen3DecoderLayer: qwen3.Qwen3Attention}
    return (
        type(layer.self_attn) is attentions.get(type(layer))
        and type(layer.mlp) in {llama.LlamaMLP, qwen2.Qwen2MLP}
        and type(layer.mlp.act_fn) is SiluAndMul
    )


def _linears(layer: Any) -> tuple[Any, ...]:
    return layer.self_attn.qkv_proj, layer.self_attn.o_proj, layer.mlp.gate_up_proj, layer.mlp.down_proj


def _fill(row: Any, layer: Any, kept: list[object]) -> None:
    for name, linear in zip(LINEARS, _linears(layer), strict=True):
        base = getattr(linear, "base_layer", linear)
        bias = base.bias
        _need(base.tp_size == 1 and not base.skip_bias_add)
        _need(bias is None or (bias.dtype == torch.bfloat16 and bias.is_contiguous()))
        packed, scales = _packed(base)
        for part, tensor in (("w", packed), ("bias", bias), ("scales", scales)):
            row[f"{name}_{part}"] = 0 if tensor is None else tensor.data_ptr()
        kept += [packed, bias, scales]
    attention = layer.self_attn
    norms = (layer.input_layernorm, getattr(attention, "q_norm", None), getattr(attention, "k_norm", None))
    for name, norm in zip(_NORMS, (*norms, layer.post_attention_layernorm), strict=True):
        row[name] = 0 if norm is None else _norm(norm, kept).data_ptr()


def _packed(base: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """A linear layer's packed weights, and their scales where they have eight bits."""
    rounded = weights_of(base)
    if rounded is not None:
        return rounded.packed, rounded.scales
    product = base.__dict__.get("cpu_linear")
    _need(type(product) is PackedLinear)
    return product.packed, None


def _norm(norm: Any, kept: list[object]) -> torch.Tensor:
    weight: torch.Tensor = norm.weight.data
    _need(norm.variance_size_override is None and norm.has_weight and weight.dtype == torch.bfloat16)
    kept.append(weight)
    return weight


def _eps(norms: list[Any]) -> float:
    values = {float(norm.variance_epsilon) for norm in norms}
    _need(len(values) == 1)
    return values.pop()


def _need(holds: bool) -> None:
    if not holds:
        raise _UnknownError
