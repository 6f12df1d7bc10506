"""The forms in which a frozen base takes part in training: bfloat16, NF4, or bfloat16 rounded to integers and back."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from adapters.errors import BaseModelError
from adapters.registry.manifest import FormName
from adapters.training.attention import register
from adapters.training.nf4 import keep_differentiable, nf4_config, scales_of
from adapters.training.qat import round_layers
from adapters.training.recipe import Qat, Recipe, form_name


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
        options["quantization_config"] = nf4_config()
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
        keep_differentiable(model)
    if form.qat is not None:
        round_layers(model, form.qat, folder.name)
    return model if form.name == "nf4" else model.to(device())


def weight_bytes(model: Any) -> int:
    """Memory of the base's weights in bytes: each tensor once, scales of NF4 included, the adapter left out."""
    seen: dict[int, int] = {}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if "lora_" in name:
            continue
        for part in (tensor, *scales_of(tensor)):
            seen[part.untyped_storage().data_ptr()] = part.untyped_storage().nbytes()
    return sum(seen.values())


def _attention() -> str:
    """Ours on a CPU; on a GPU the fused kernels, which keep no probabilities at all."""
    return register() if device().type == "cpu" else "sdpa"


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
