"""The base rounded to integers and back while an adapter is trained on it (`qat-lora`), by torchao."""

from typing import Any

import torch

from adapters.errors import RecipeError
from adapters.training.recipe import Qat

_GROUP = 32  # as `python -m adapters quantize` has it


def round_layers(model: Any, qat: Qat, name: str) -> None:
    """Put torchao's fake quantization on each linear layer, the vocabulary's product apart.

    The base is frozen, so its weights are rounded once here, not at every step: the same values for less work.
    Only activations are rounded in the forward pass; their gradient passes straight through.
    Raises RecipeError: no torchao, or a group that does not divide a layer's inputs.
    """
    try:
        from torchao.quantization.qat import IntxFakeQuantizeConfig
        from torchao.quantization.qat.fake_quantizer import IntxFakeQuantizer
        from torchao.quantization.qat.linear import FakeQuantizedLinear
    except ImportError as error:
        raise RecipeError("method qat-lora needs torchao: install the extra `adapters`.") from error
    group = qat.group or (_GROUP if qat.weights == "int4" else None)
    kind = getattr(torch, qat.weights)
    shape: dict[str, Any] = {"group_size": group} if group else {"granularity": "per_channel"}
    scales = torch.bfloat16 if qat.weights == "int4" else torch.float32  # as they are stored for serving
    rounding = IntxFakeQuantizer(IntxFakeQuantizeConfig(kind, is_symmetric=True, scale_precision=scales, **shape))
    tokens = IntxFakeQuantizeConfig(torch.int8, "per_token", is_symmetric=False)
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
            model.model.set_submodule(path, FakeQuantizedLinear.from_linear(layer, activation_config=tokens))
