"""INT8 linear layers (W8A8, dynamic per token): one packed copy of the weights serves prompts and decode steps.

vLLM gives them to oneDNN, layer by layer; a decode step then costs more than in bfloat16, which `step.py` takes whole.
Where AMX is, vLLM has another kernel, which stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from server.cpu_lora import kernel
from server.cpu_lora.eager_ops import never_compiled
from server.cpu_lora.patching import patch_once


@dataclass(frozen=True)
class Int8Weights:
    """packed: `kernel.pack_int8`; scales: float32 [outputs]."""

    packed: torch.Tensor
    scales: torch.Tensor


def use(engine: kernel.Kernel) -> None:
    """Give every INT8 layer that is loaded from now on to our kernel, where it can take it; once."""
    from vllm.model_executor.kernels.linear.scaled_mm.cpu import CPUInt8ScaledMMLinearKernel as Stock  # heavy

    patch_once(Stock, "process_weights_after_loading", _process)
    patch_once(Stock, "apply_weights", lambda stock: _apply(stock, engine))


def weights_of(layer: Any) -> Int8Weights | None:
    """What `use` took of this layer, or None."""
    found = layer.__dict__.get("cni_int8")
    return found if isinstance(found, Int8Weights) else None


def _process(stock: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def process(self: Any, layer: Any) -> None:
        name, name_of_scales, *_ = self.layer_param_names
        weight, scales = getattr(layer, name), getattr(layer, name_of_scales)
        if not (_takes(self.config, weight, scales) and never_compiled()):
            stock(self, layer)
            return
        layer.cni_int8 = Int8Weights(kernel.pack_int8(weight.data), scales.data.reshape(-1).float().contiguous())
        setattr(layer, name, None)  # as vLLM does where oneDNN keeps the weights

    return process


def _takes(config: Any, weight: torch.Tensor, scales: torch.Tensor) -> bool:
    """Whether the layer is rounded as the kernel computes, [outputs, inputs] in whole blocks, in a bfloat16 model."""
    from vllm.model_executor.layers.utils import check_cpu_sgl_kernel  # heavy

    rounded = config.is_channelwise and config.input_symmetric and not config.is_static_input_scheme
    plain = kernel.packable_int8(weight) and not weight.is_meta and torch.get_default_dtype() == torch.bfloat16
    by_amx = check_cpu_sgl_kernel(*weight.shape, weight.dtype)
    return bool(rounded and plain and scales.numel() == weight.shape[0] and not by_amx)


def _apply(stock: Callable[..., torch.Tensor], engine: kernel.Kernel) -> Callable[..., torch.Tensor]:
    def apply(self: Any, layer: Any, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """x [..., inputs] in bfloat16 to [..., outputs]."""
        weights = weights_of(layer)
        if weights is None:
            return stock(self, layer, x, bias)
        y = engine.int8_linear(kernel.dense_rows(x), weights.packed, weights.scales, bias)
        return y.view(*x.shape[:-1], y.shape[1])

    return apply
