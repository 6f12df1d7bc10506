"""The base in NF4 while an adapter is trained on it (QLoRA, arXiv 2305.14314), by bitsandbytes."""

from typing import Any

import torch

from adapters.errors import RecipeError


def nf4_config() -> Any:
    """For transformers: NF4 with double quantization, computed in bfloat16 (section 3 of the paper).

    Raises RecipeError where bitsandbytes is not installed."""
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


def keep_differentiable(model: Any) -> None:
    """Keep bitsandbytes from repacking the weights at the first look at the validation samples.

    On a CPU with AVX-512 BF16 its layers do that in evaluation mode, for a kernel without a backward pass: all training
    after it would go on with gradients that silently end there (bitsandbytes 0.50.2, `Linear4bit.forward`).
    """
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False


def scales_of(tensor: Any) -> list[torch.Tensor]:
    """The tensors of bitsandbytes' quantization state, the second level of double quantization with it."""
    state = getattr(tensor, "quant_state", None)
    if state is None:
        return []
    parts = [state.absmax, state.code, *([state.state2.absmax, state.state2.code] if state.nested else [])]
    return [part for part in parts if isinstance(part, torch.Tensor)]
