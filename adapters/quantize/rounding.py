"""One weight in fewer bits, by the compressed-tensors library: its schemes, scales, rounding and packing."""

from dataclasses import dataclass
from typing import Any

import torch
from compressed_tensors.compressors.base import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from compressed_tensors.quantization.utils import calculate_qparams

from adapters.quantize.methods import Method

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Rounded:
    """`stored`: tensors by their local names (`weight_packed`, `weight_scale`, …); `weight`: what they stand for."""

    stored: Tensors
    weight: torch.Tensor


def scheme_of(method: Method, group: int | None) -> QuantizationScheme:
    """INT8: a scale an output channel, activations a token. INT4: a scale a group of `group` inputs."""
    weights: dict[str, Any] = {"num_bits": method.bits, "type": "int", "symmetric": True, "dynamic": False}
    weights |= {"strategy": "group", "group_size": group} if group else {"strategy": "channel"}
    token = {"num_bits": 8, "type": "int", "symmetric": True, "dynamic": True, "strategy": "token"}
    inputs = None if method.activations == "bfloat16" else QuantizationArgs(**token)
    return QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**weights), input_activations=inputs)


def scales_of(weight: torch.Tensor, args: QuantizationArgs) -> torch.Tensor:
    """(out, groups) scales of a float32 weight (out, in) from its groups' extremes, as they are stored.

    INT4 scales are rounded to bfloat16, which is how vLLM keeps them, before anything is divided by them.
    """
    grouped = weight.reshape(len(weight), -1, args.group_size or weight.shape[1])
    scales: torch.Tensor = calculate_qparams(grouped.amin(2), grouped.amax(2), args)[0]
    return scales.to(torch.bfloat16) if args.num_bits < 8 else scales


def to_grid(weight: torch.Tensor, scales: torch.Tensor, args: QuantizationArgs) -> torch.Tensor:
    """`weight` (out, n) at the nearest points of the grid of its one scale a row, (out, 1); float32."""
    top = 2 ** (int(args.num_bits) - 1) - 1
    return (weight / scales).round().clamp(-top - 1, top) * scales


def store(weight: torch.Tensor, scales: torch.Tensor, scheme: QuantizationScheme, layout: str) -> Rounded:
    """Round to nearest and pack in `layout` (`int-quantized`, `pack-quantized`)."""
    compressor = BaseCompressor.get_value_from_registry(layout)
    stored = compressor.compress({"weight": weight, "weight_scale": scales}, scheme)
    stands_for = compressor.decompress({**stored, "weight_scale": stored["weight_scale"].float()}, scheme)
    return Rounded(stored, stands_for["weight"])


def round_to_nearest(weight: torch.Tensor, scheme: QuantizationScheme, layout: str) -> Rounded:
    """RTN: every weight by itself, no data seen. `weight` (out, in), any float type."""
    assert scheme.weights is not None
    weight = weight.float()
    return store(weight, scales_of(weight, scheme.weights), scheme, layout)
