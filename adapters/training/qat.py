"""The base rounded to integers and back while an adapter is trained on it (`qat-lora`): its weights by torchao, its
activations as what serves rounds them, which torchao does not know (no symmetric rounding by token, 0.18).
"""

from typing import Any

import torch

from adapters.errors import RecipeError
from adapters.training.recipe import Qat

_GROUP = 32  # as `python -m adapters quantize` has it
_TOP = 127  # of eight bits; the largest number of a token becomes it


def round_layers(model: Any, qat: Qat, name: str) -> None:
    """Round each linear layer, the vocabulary's product apart.

    The base is frozen, so its weights are rounded once here, not at every step: the same values for less work.
    Only activations are rounded in the forward pass; their gradient passes straight through.
    Raises RecipeError: no torchao, or a group that does not divide a layer's inputs.
    """
    try:
        from torchao.quantization.qat import IntxFakeQuantizeConfig
        from torchao.quantization.qat.fake_quantizer import IntxFakeQuantizer
    except ImportError as error:
        raise RecipeError("method qat-lora needs torchao: install the extra `adapters`.") from error
    group = qat.group or (_GROUP if qat.weights == "int4" else None)
    kind = getattr(torch, qat.weights)
    shape: dict[str, Any] = {"group_size": group} if group else {"granularity": "per_channel"}
    scales = torch.bfloat16 if qat.weights == "int4" else torch.float32  # as they are stored for serving
    rounding = IntxFakeQuantizer(IntxFakeQuantizeConfig(kind, is_symmetric=True, scale_precision=scales, **shape))
    for path, layer in list(model.model.named_modules()):
        if type(layer) is not torch.nn.Linear:
            continue
        if group and layer.in_features % group:
            raise RecipeError(
                f"qat.group {group} does not divide the {layer.in_features} inputs of {path} in the base {name}: "
                "take a smaller group."
            )
        layer.weight.data = rounding(layer.weight.data.float()).to(layer.weight.dtype)
        if qat.activations == "int8":
            model.model.set_submodule(path, _of(layer))


def rounded(inputs: torch.Tensor) -> torch.Tensor:
    """(…, inputs) to eight bits and back, each token by itself without a zero point, as vLLM's dynamic INT8 and our
    kernel do (server/cpu_lora/native/forms.hpp). The gradient passes straight through.
    """
    result: torch.Tensor = _Rounded.apply(inputs)  # type: ignore[no-untyped-call]
    return result


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor) -> torch.Tensor:
        wide = inputs.float()
        step = wide.abs().amax(-1, keepdim=True) / _TOP
        return ((wide / step.where(step > 0, torch.ones_like(step))).round() * step).to(inputs.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0]


class _RoundedInputs(torch.nn.Linear):
    """A linear layer whose inputs are rounded."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(rounded(input))


def _of(layer: torch.nn.Linear) -> _RoundedInputs:
    """With the very weights of `layer`."""
    made = _RoundedInputs(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
    made.weight, made.bias = layer.weight, layer.bias
    return made
