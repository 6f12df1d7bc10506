"""Lets LoRA layers wrap a base layer whose weight was handed to oneDNN.

On a CPU without AMX, vLLM's INT8 layers give their weight to a oneDNN handler and set `layer.weight = None`; the LoRA
layer then asks `base_layer.weight.device` and the start fails with "'NoneType' object has no attribute 'device'".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from server.cpu_lora.patching import patch_once

_ABSENT = object()


def allow() -> None:
    """Make vLLM's LoRA layers answer `cpu` for such a layer; calling it again changes nothing."""
    from vllm.lora.layers import base_linear  # heavy

    patch_once(base_linear, "_get_lora_device", device_or_cpu)


def device_or_cpu(stock: Callable[[Any], torch.device]) -> Callable[[Any], torch.device]:
    """`stock`, except that a layer whose `weight` is there and None is on the CPU."""

    def device(base_layer: Any) -> torch.device:
        if getattr(base_layer, "weight", _ABSENT) is None:
            return torch.device("cpu")
        return stock(base_layer)

    return device
