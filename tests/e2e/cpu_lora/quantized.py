"""A base quantized by the project's own command, and what its stored weights stand for."""

from __future__ import annotations

from pathlib import Path

import torch
from compressed_tensors.compressors.base import BaseCompressor
from safetensors.torch import load_file

from adapters.quantize.methods import METHODS
from adapters.quantize.rounding import scheme_of
from adapters.quantize.run import Plan, quantize


def write_quantized(base: Path, folder: Path, method: str) -> Path:
    """`method`: int8 or int4, in its usual groups."""
    quantize(Plan(base, base.name, METHODS[method], METHODS[method].group, samples=4, seed=1), folder, lambda *_: None)
    return folder


def dequantized(base: Path, folder: Path, method: str) -> dict[str, torch.Tensor]:
    """The base's tensors in float32, those that were quantized as they come back from the folder."""
    stored = load_file(folder / "model.safetensors")
    compressor = BaseCompressor.get_value_from_registry(METHODS[method].stored)
    tensors = {name: tensor.float() for name, tensor in load_file(base / "model.safetensors").items()}
    for name in tensors:
        module = name.removesuffix("weight")
        if f"{module}weight_scale" in stored:
            local = {key.removeprefix(module): value for key, value in stored.items() if key.startswith(module)}
            local["weight_scale"] = local["weight_scale"].float()
            tensors[name] = compressor.decompress(local, scheme_of(METHODS[method], METHODS[method].group))["weight"]
    return tensors
