"""NF4 with double quantization (Dettmers et al. 2023, arXiv 2305.14314) by bitsandbytes, as a reference for quality."""

import torch

BLOCK = 64


def through_nf4(weight: torch.Tensor) -> torch.Tensor:
    """What a QLoRA base computes with: `weight` to NF4 and back, in its own type."""
    from bitsandbytes import functional

    packed, state = functional.quantize_4bit(
        weight.contiguous(), blocksize=BLOCK, compress_statistics=True, quant_type="nf4"
    )
    restored: torch.Tensor = functional.dequantize_4bit(packed, state)
    return restored.to(weight.dtype)
