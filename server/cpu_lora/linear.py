"""Linear layers in bfloat16: the base's product and every adapter's in one call of our kernel, from packed weights.

oneDNN, which vLLM uses, sets up as long as a small matrix takes, and the LoRA after it costs Python. Where AMX is,
oneDNN keeps what has many rows, with a copy of the weights of its own; elsewhere the packed weights are the only ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from adapters.cgroup import available_memory
from server.cpu_lora import kernel
from server.cpu_lora.eager_ops import never_compiled
from server.cpu_lora.patching import patch_once
from server.cpu_lora.wrapper import GroupedPunicaWrapper

FEW_ROWS = 16
"""Where oneDNN is kept, more rows than these go to it."""

_MEMORY_SHARE = 0.1  # of what is available at the start may be taken by second copies; beyond, layers stay with oneDNN

_PACKED = "cni_packed"

Linear = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]


class PackedLinear:
    """What vLLM calls as a layer's `cpu_linear`; `many` is what stood there, None where nothing else keeps weights."""

    def __init__(self, engine: kernel.Kernel, packed: torch.Tensor, many: Linear | None) -> None:
        self._engine = engine
        self.packed = packed
        self._many = many

    def takes(self, x: torch.Tensor, bias: torch.Tensor | None) -> bool:
        """Whether the kernel computes x [rows, inputs]."""
        if self._many is None:
            return True
        few = x.dim() == 2 and x.shape[0] <= FEW_ROWS and x.stride(1) == 1 and x.dtype == torch.bfloat16
        return few and (bias is None or bias.dtype == torch.bfloat16)

    def __call__(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """The base's product. `weight` is what vLLM left of the original, not used here."""
        if self._many is not None and not self.takes(x, bias):
            return self._many(x, weight, bias)
        return self.run(x, bias)

    def run(
        self, x: torch.Tensor, bias: torch.Tensor | None = None, products: kernel.Products = kernel.NOTHING
    ) -> torch.Tensor:
        """x that `takes` accepted, [..., inputs] in bfloat16, through the kernel; `products`: `Work.products`."""
        if x.dtype != torch.bfloat16 or (bias is not None and bias.dtype != torch.bfloat16):
            raise TypeError(f"a layer in bfloat16 was given {x.dtype}")
        y = self._engine.linear(kernel.dense_rows(x), self.packed, bias, products)
        return y.view(*x.shape[:-1], y.shape[1])


class HeadLinear:
    """The logits' product, of a matrix that stays as it is because the embedding is read from it.

    It is packed at the first product, so that an embedding which never multiplies costs nothing, and once for all
    layers that share the parameter."""

    def __init__(self, engine: kernel.Kernel) -> None:
        self._engine = engine

    def __call__(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """x [..., inputs] times weight [outputs, inputs] transposed, plus bias [outputs]."""
        if x.dtype != torch.bfloat16 or (bias is not None and bias.dtype != torch.bfloat16):
            return functional.linear(x, weight, bias)
        packed = weight.__dict__.get(_PACKED)
        if packed is None:
            packed = weight.__dict__[_PACKED] = kernel.pack(weight.data)
        y = self._engine.linear(kernel.dense_rows(x), packed, bias)
        return y.view(*x.shape[:-1], y.shape[1])


def use(engine: kernel.Kernel, prompts: bool) -> None:
    """Give every linear layer that is loaded from now on a `PackedLinear`, and LoRA layers the way to it, once.

    prompts: whether it takes any number of rows, so that oneDNN gets no weights."""
    from vllm.lora.layers.base_linear import BaseLinearLayerWithLoRA  # heavy
    from vllm.model_executor.layers import utils

    left = None if prompts else int(available_memory() * _MEMORY_SHARE)
    patch_once(utils, "dispatch_cpu_unquantized_gemm", lambda stock: _dispatch(stock, engine, left))
    patch_once(BaseLinearLayerWithLoRA, "apply", _apply)


def _dispatch(stock: Callable[..., None], engine: kernel.Kernel, left: int | None) -> Callable[..., None]:
    """`left`: memory for copies beside oneDNN's; None: no copies, the packed weights take the place of oneDNN's."""

    def dispatch(layer: Any, remove_weight: bool) -> None:
        nonlocal left
        ours = not layer.weight.is_meta and kernel.packable(layer.weight) and never_compiled()
        if ours and not remove_weight and left is None:
            layer.cpu_linear = HeadLinear(engine)
            return
        if not (ours and remove_weight) or (left is not None and layer.weight.nbytes > left):
            stock(layer, remove_weight)
            return
        packed = kernel.pack(layer.weight.data)
        if left is None:
            layer.cpu_linear = PackedLinear(engine, packed, None)
            layer.weight = torch.nn.Parameter(torch.empty(0), requires_grad=False)  # as vLLM leaves it
            return
        left -= layer.weight.nbytes
        stock(layer, remove_weight)
        layer.cpu_linear = PackedLinear(engine, packed, layer.cpu_linear)

    return dispatch


def _apply(stock: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def apply(self: Any, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """x [rows, inputs] through the layer and its adapters."""
        linear, wrapper = self.base_layer.__dict__.get("cpu_linear"), self.punica_wrapper
        if type(linear) is not PackedLinear or not linear.takes(x, bias) or type(wrapper) is not GroupedPunicaWrapper:
            return stock(self, x, bias)
        work = wrapper.work_of_step(self.lora_a_stacked, self.lora_b_stacked, self.output_slices, x.shape[0])
        if work is None:
            return linear.run(x, bias)
        y = linear.run(x, bias, work.products)
        work.run_rest(y, x, 1.0)
        return y

    return apply
