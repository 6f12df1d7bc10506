"""vLLM's own CPU layers, given what is stored, multiply as the weights that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from vllm.config import VllmConfig, set_current_vllm_config
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.distributed.parallel_state import destroy_distributed_environment, destroy_model_parallel
from vllm.model_executor.layers.quantization.compressed_tensors.compressed_tensors import CompressedTensorsConfig
from vllm.platforms import current_platform

from adapters.quantize.methods import METHODS
from adapters.quantize.rounding import Rounded, round_to_nearest, scheme_of

OUT, IN, ROWS = 64, 128, 5


def _rounded(method: str) -> tuple[Rounded, dict[str, Any]]:
    weight = torch.randn(OUT, IN, generator=torch.Generator().manual_seed(3), dtype=torch.float32) * 0.05
    scheme = scheme_of(METHODS[method], METHODS[method].group)
    return round_to_nearest(weight, scheme, METHODS[method].stored), scheme.model_dump(exclude_none=True)


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[None]:
    """As a CPU worker is while it loads a bfloat16 model: kernels imported, groups of one process."""
    current_platform.import_kernels()
    default = torch.get_default_dtype()
    with set_current_vllm_config(VllmConfig()):
        init_distributed_environment(1, 0, f"file://{tmp_path}/store", 0, "gloo")
        initialize_model_parallel(1, 1)
        torch.set_default_dtype(torch.bfloat16)
        yield
        torch.set_default_dtype(default)
        destroy_model_parallel()
        destroy_distributed_environment()


def _product(method: str, stored: dict[str, torch.Tensor], group: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    """By the scheme that vLLM chooses for the stored configuration, loaded as vLLM loads it."""
    stored_config = {"config_groups": {"group_0": group}, "format": METHODS[method].stored, "ignore": ["lm_head"]}
    config = CompressedTensorsConfig.from_config(stored_config)
    target = config.target_scheme_map["Linear"]
    scheme: Any = config._get_scheme_from_parts(target["weights"], target["input_activations"], None, None, "layer")
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
        assert parameter.shape == tensor.shape, name
        parameter.data.copy_(tensor)
    scheme.process_weights_after_loading(layer)
    result: torch.Tensor = scheme.apply_weights(layer, x, None)
    return result


@pytest.mark.parametrize("method", ["int8", "int4"])
@pytest.mark.usefixtures("loading")
def test_the_layer_multiplies_by_what_is_stored(method: str) -> None:
    rounded, group = _rounded(method)
    x = torch.randn(ROWS, IN, generator=torch.Generator().manual_seed(4)).to(torch.bfloat16)
    got = _product(method, rounded.stored, group, x).float()
    wanted = x.float() @ rounded.weight.T
    # bfloat16 results; INT8 rounds each token to 255 steps as well.
    assert (got - wanted).abs().max() <= 0.02 * wanted.abs().max()
    wrong = x.float() @ rounded.weight.roll(1, 1).T
    assert (got - wrong).abs().max() > 0.2 * wanted.abs().max(), "another weight would have passed"
