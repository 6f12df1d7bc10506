"""A base layer whose weight went to oneDNN is on the CPU; every other layer is asked as before."""

from __future__ import annotations

import torch
from vllm.lora.layers import base_linear

from server.cpu_lora import released_weights


def test_a_released_weight_is_on_the_cpu() -> None:
    layer = torch.nn.Linear(2, 2)
    device = released_weights.device_or_cpu(lambda _layer: torch.device("meta"))
    assert device(layer) == torch.device("meta")
    layer.register_parameter("weight", None)
    assert device(layer) == torch.device("cpu")
    assert device(torch.nn.Identity()) == torch.device("meta")


def test_vllm_is_patched_once() -> None:
    released_weights.allow()
    first = base_linear._get_lora_device
    released_weights.allow()
    assert base_linear._get_lora_device is first
