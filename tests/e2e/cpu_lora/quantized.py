"""A base model quantized by rounding, as a compressed-tensors checkpoint: enough to see that vLLM starts and agrees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from safetensors.torch import load_file, save_file

GROUP = 32
_WEIGHTS = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel", "dynamic": False}
_INPUTS = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "token", "dynamic": True}
_GROUPED = {**_WEIGHTS, "num_bits": 4, "strategy": "group", "group_size": GROUP}


def write_quantized(base: Path, folder: Path, scheme: str) -> Path:
    """`scheme` is W8A8 (per channel, dynamic per token) or W4A16 (groups of 32)."""
    shutil.copytree(base, folder)
    tensors: dict[str, torch.Tensor] = {}
    for name, weight in load_file(base / "model.safetensors").items():
        if name.endswith("_proj.weight"):
            tensors |= _w8(name, weight) if scheme == "W8A8" else _w4(name, weight)
        else:
            tensors[name] = weight
    save_file(tensors, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = _config(scheme)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _w8(name: str, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    scale = weight.float().abs().amax(dim=1, keepdim=True) / 127
    rounded = (weight.float() / scale).round().clamp(-127, 127).to(torch.int8)
    return {name: rounded, f"{name}_scale": scale}


def _w4(name: str, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    grouped = weight.float().unflatten(1, (-1, GROUP))
    scale = grouped.abs().amax(dim=2, keepdim=True) / 7
    rounded = (grouped / scale).round().clamp(-8, 7).to(torch.int8).flatten(1)
    return {
        f"{name}_packed": pack_to_int32(rounded, 4),
        f"{name}_scale": scale.squeeze(2).to(torch.bfloat16),
        f"{name}_shape": torch.tensor(weight.shape),
    }


def _config(scheme: str) -> dict[str, Any]:
    int8 = scheme == "W8A8"
    group = {"targets": ["Linear"], "weights": _WEIGHTS if int8 else _GROUPED, "input_activations": _INPUTS}
    return {
        "quant_method": "compressed-tensors",
        "format": "int-quantized" if int8 else "pack-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": {**group, "input_activations": _INPUTS if int8 else None}},
        "ignore": ["lm_head"],
    }
