"""The forms in which a frozen base takes part in training: bfloat16, NF4, or bfloat16 rounded to integers and back."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from adapters.errors import BaseModelError, RecipeError
from adapters.registry.manifest import FormName
from adapters.training.attention import register
from adapters.training.recipe import Qat, Recipe, form_name

_GROUP = 32  # as `python -m adapters quantize` has it


@dataclass(frozen=True)
class Form:
    """`name` is what the manifest says. `qat` describes the integer forms."""

    name: FormName
    qat: Qat | None = None


BF16 = Form("bf16")
NF4 = Form("nf4")


def form_of(recipe: Recipe) -> Form:
    """The form that a recipe's method trains against."""
    return Form(form_name(recipe), (recipe.qat or Qat()) if recipe.method == "qat-lora" else None)


def device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_base(folder: Path, form: Form = BF16) -> Any:
    """The base in `form`, on the GPU if there is one, nothing of it trainable.

    Raises BaseModelError where the folder holds no such model, RecipeError where the form cannot be had of it.
    """
    from transformers import AutoModelForCausalLM

    quiet()
    _refuse_quantized(folder)
    options: dict[str, Any] = {"dtype": torch.bfloat16, "attn_implementation": _attention()}
    if form.name == "nf4":
        options["quantization_config"] = _nf4()
        options["device_map"] = {"": device().type}
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, **options)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # each loader has errors of its own
        raise BaseModelError(
            f"The base {folder.name} cannot be loaded ({type(error).__name__}): make or fetch that folder anew."
        ) from error
    if not hasattr(model, "model") or not hasattr(model, "lm_head"):
        raise BaseModelError(
            f"The base {folder.name} ({type(model).__name__}) is not built as SmolLM2, Llama or Qwen3 are."
        )
    model.requires_grad_(False)
    if form.name == "nf4":
        _keep_differentiable(model)
    if form.qat is not None:
        _round(model, form.qat, folder.name)
    return model if form.name == "nf4" else model.to(device())


def weight_bytes(model: Any) -> int:
    """Memory of the base's weights in bytes: each tensor once, scales of NF4 included, the adapter left out."""
    seen: dict[int, int] = {}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if "lora_" in name:
            continue
        for part in (tensor, *_scales(tensor)):
            seen[part.untyped_storage().data_ptr()] = part.untyped_storage().nbytes()
    return sum(seen.values())


def _scales(tensor: Any) -> list[torch.Tensor]:
    """The tensors of bitsandbytes' quantization state, the second level of double quantization with it."""
    state = getattr(tensor, "quant_state", None)
    if state is None:
        return []
    parts = [state.absmax, state.code, *([state.state2.absmax, state.state2.code] if state.nested else [])]
    return [part for part in parts if isinstance(part, torch.Tensor)]


def _attention() -> str:
    """Ours on a CPU; on a GPU the fused kernels, which keep no probabilities at all."""
    return register() if device().type == "cpu" else "sdpa"


def _nf4() -> Any:
    """NF4 with double quantization, computed in bfloat16 (section 3 of the paper)."""
    from transformers import BitsAndBytesConfig

    try:
        import bitsandbytes  # noqa: F401  # transformers' own message names a GPU
    except ImportError as error:
        raise RecipeError("method qlora needs bitsandbytes: install the extra `adapters`.") from error
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _keep_differentiable(model: Any) -> None:
    """Keep bitsandbytes from repacking the weights at the first look at the validation samples.

    On a CPU with AVX-512 BF16 its layers do that in evaluation mode, for a kernel without a backward pass: all training
    after it would go on with gradients that silently end there (bitsandbytes 0.50.2, `Linear4bit.forward`).
    """
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False


def _round(model: Any, qat: Qat, name: str) -> None:
    """Put torchao's fake quantization on each linear layer, the vocabulary's product apart.

    The base is frozen, so its weights are rounded once here, not at every step: the same values for less work.
    Only activations are rounded in the forward pass; their gradient passes straight through.
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


def _refuse_quantized(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BaseModelError(
            f"The base {folder.name} has no readable config.json: name a model's own folder."
        ) from error
    if "quantization_config" in config:
        raise BaseModelError(f"The base {folder.name} is quantized already: train on its 16 bit original.")


def quiet() -> None:
    """torchao and bitsandbytes name at import what they could not load for other devices."""
    for name in ("torchao", "torch.utils._pytree", "bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
