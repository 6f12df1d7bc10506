"""Linear layers in a decode step: the base's product and every adapter's in one call of our kernel.

oneDNN, which vLLM uses, keeps what has many rows (prompts, large batches). For a few rows its set-up costs as much as
a small matrix does, and the LoRA after it costs Python. The kernel reads a packed copy of the weights, which takes
memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from adapters.cgroup import available_memory
from server.cpu_lora import kernel
from server.cpu_lora.eager_ops import never_compiled
from server.cpu_lora.wrapper import GroupedPunicaWrapper

MAX_ROWS = 16
"""More rows than these go to oneDNN."""

_MEMORY_SHARE = 0.1  # of what is available at the start may be taken by packed copies; beyond, layers stay with oneDNN

Linear = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]


class DecodeLinear:
    """What vLLM calls as a layer's `cpu_linear`; `many` is what stood there."""

    def __init__(self, engine: kernel.Kernel, packed: torch.Tensor, many: Linear) -> None:
        self._engine = engine
        self.packed = packed
        self._many = many

    def takes(self, x: torch.Tensor, bias: torch.Tensor | None) -> bool:
        """Whether the kernel computes x [rows, inputs]."""
        few = x.dim() == 2 and x.shape[0] <= MAX_ROWS and x.stride(1) == 1 and x.dtype == torch.bfloat16
        return few and (bias is None or bias.dtype == torch.bfloat16)

    def __call__(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """The base's product. `weight` is what vLLM left of the original, not used here."""
        return self.run(x, bias) if self.takes(x, bias) else self._many(x, weight, bias)

    def run(
        self, x: torch.Tensor, bias: torch.Tensor | None = None, products: kernel.Products = kernel.NOTHING
    ) -> torch.Tensor:
        """x that `takes` accepted, through the kernel; `products`: `Work.products`."""
        return self._engine.linear(x, self.packed, bias, products)


def use(engine: kernel.Kernel) -> None:
    """Give every linear layer that is loaded from now on a `DecodeLinear`, and LoRA layers the way to it, once."""
    from vllm.lora.layers.base_linear import BaseLinearLayerWithLoRA  # heavy
    from vllm.model_executor.layers import utils

    if getattr(utils.dispatch_cpu_unquantized_gemm, "is_cni_linear", False):
        return
    left = int(available_memory() * _MEMORY_SHARE)
    utils.dispatch_cpu_unquantized_gemm = _dispatch(utils.dispatch_cpu_unquantized_gemm, engine, left)
    BaseLinearLayerWithLoRA.apply = _apply(BaseLinearLayerWithLoRA.apply)


def _dispatch(stock: Callable[..., None], engine: kernel.Kernel, left: int) -> Callable[..., None]:
    def dispatch(layer: Any, remove_weight: bool) -> None:
        nonlocal left
        packed, size = None, layer.weight.nbytes
        # `remove_weight` is off for the logits' matrix: so large that memory is all its time, and oneDNN as fast.
        fits = remove_weight and not layer.weight.is_meta and size <= left and kernel.packable(layer.weight)
        if fits and never_compiled():  # a call of ours would only break a graph
            packed, left = kernel.pack(layer.weight.data), left - size
        stock(layer, remove_weight)
        if packed is not None:
            layer.cpu_linear = DecodeLinear(engine, packed, layer.cpu_linear)

    dispatch.is_cni_linear = True  # type: ignore[attr-defined]
    return dispatch


def _apply(stock: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def apply(self: Any, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """x [rows, inputs] through the layer and its adapters."""
        linear, wrapper = self.base_layer.__dict__.get("cpu_linear"), self.punica_wrapper
        if type(linear) is not DecodeLinear or not linear.takes(x, bias) or type(wrapper) is not GroupedPunicaWrapper:
            return stock(self, x, bias)
        work = wrapper.work_of_step(self.lora_a_stacked, self.lora_b_stacked, self.output_slices, x.shape[0])
        if work is None:
            return linear.run(x, bias)
        y = linear.run(x, bias, work.products)
        work.run_rest(y, x, 1.0)
        return y

    return apply
