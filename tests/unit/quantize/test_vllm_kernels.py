"""vLLM's own CPU layers, given what is stored, multiply as the weights that it stands for."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from adapters.quantize.methods import METHODS
from adapters.quantize.rounding import Rounded, round_to_nearest, scheme_of

OUT, IN, ROWS = 64, 128, 5


def _rounded(method: str) -> tuple[Rounded, dict[str, Any]]:
    weight = torch.randn(OUT, IN, generator=torch.Generator().manual_seed(3)) * 0.05
    scheme = scheme_of(METHODS[method], METHODS[method].group)
    return round_to_nearest(weight, scheme, METHODS[method].stored), scheme.model_dump(exclude_none=True)


def _product(method: str, stored: dict[str, torch.Tensor], group: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    """The scheme that vLLM chooses for the stored configuration, loaded as vLLM loads it."""
    from vllm.config import VllmConfig, set_current_vllm_config
    from vllm.model_executor.layers.quantization.compressed_tensors.compressed_tensors import CompressedTensorsConfig

    stored_config = {"config_groups": {"group_0": group}, "format": METHODS[method].stored, "ignore": ["lm_head"]}
    with set_current_vllm_config(VllmConfig()):
        config = CompressedTensorsConfig.from_config(stored_config)
        target = config.target_scheme_map["Linear"]
        scheme = config._get_scheme_from_parts(target["weights"], target["input_activations"], None, None, "layer")
        layer: Any = torch.nn.Module()
        layer.bias = None
        layer.logical_widths = [OUT]
        scheme.create_weights(
            layer=layer,
            output_size=OUT,
            input_size=IN,
            output_partition_sizes=[OUT],
            input_size_per_partition=IN,
            params_dtype=torch.bfloat16,
            weight_loader=lambda *_: None,
        )
        for name, tensor in stored.items():
            parameter = getattr(layer, name)
            assert (parameter.shape, parameter.dtype) == (tensor.shape, tensor.dtype), name
            parameter.data.copy_(tensor)
        default = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16)  # as while vLLM loads a model
        try:
            scheme.process_weights_after_loading(layer)
            result: torch.Tensor = scheme.apply_weights(layer, x, None)
        finally:
            torch.set_default_dtype(default)
        return result


@pytest.mark.parametrize("method", ["int8", "int4"])
def test_the_layer_multiplies_by_what_is_stored(method: str) -> None:
    rounded, group = _rounded(method)
    x = torch.randn(ROWS, IN, generator=torch.Generator().manual_seed(4)).to(torch.bfloat16)
    got = _product(method, rounded.stored, group, x).float()
    wanted = x.float() @ rounded.weight.T
    # bfloat16 results; INT8 rounds each token to 255 steps as well.
    assert (got - wanted).abs().max() <= 0.02 * wanted.abs().max()
    wrong = x.float() @ rounded.weight.roll(1, 1).T
    assert (got - wrong).abs().max() > 0.2 * wanted.abs().max(), "another weight would have passed"
