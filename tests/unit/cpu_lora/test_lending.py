"""An adapter that lends its weights to a slot adds what it adds when vLLM writes it there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from vllm.config.lora import LoRAConfig
from vllm.lora.layers import MergedQKVParallelLinearWithLoRA, RowParallelLinearWithLoRA
from vllm.lora.lora_weights import LoRALayerWeights, PackedLoRALayerWeights
from vllm.model_executor.layers.linear import QKVParallelLinear, RowParallelLinear

from server.cpu_lora.kernel import Kernel
from server.cpu_lora.lending import Lender
from tests.unit.cpu_lora.batches import Batch, told, wrapper_for
from tests.unit.cpu_lora.conftest import one_rank

HIDDEN, RANK, SLOTS, SIZES = 64, 8, 3, (64, 32, 32)
LAYERS = {"qkv_proj": SIZES, "o_proj": (HIDDEN,)}


@pytest.fixture
def manager(engine: Kernel, tmp_path: Path) -> Iterator[Any]:
    """What `Lender` reads of vLLM's `LoRAModelManager`, with vLLM's own layers."""
    config = LoRAConfig(max_lora_rank=RANK, max_loras=SLOTS, lora_dtype=torch.bfloat16)
    with one_rank(config, tmp_path):
        qkv = QKVParallelLinear(HIDDEN, 32, 2, 1, bias=False, params_dtype=torch.bfloat16)
        row = RowParallelLinear(HIDDEN, HIDDEN, bias=False, params_dtype=torch.bfloat16)
        modules = {"qkv_proj": MergedQKVParallelLinearWithLoRA(qkv), "o_proj": RowParallelLinearWithLoRA(row)}
        wrapper = wrapper_for(Batch((0,), SLOTS, 0, False, torch.bfloat16, 1))
        for module in modules.values():
            module.create_lora_weights(SLOTS, config)
            module.set_mapping(wrapper)
        yield SimpleNamespace(modules=modules, lora_config=config)


def _adapter(seed: int, lacks: str = "", rank: int = RANK, dtype: torch.dtype = torch.bfloat16) -> Any:
    """As vLLM loads it: k_proj is not adapted; `lacks` names a layer that is not."""
    rng = torch.Generator().manual_seed(seed)

    def weights(name: str, size: int) -> LoRALayerWeights:
        a, b = torch.randn(rank, HIDDEN, generator=rng) / 8, torch.randn(size, rank, generator=rng)
        return LoRALayerWeights(name, rank, 1, a.to(dtype), b.to(dtype), 1.0)

    loras: dict[str, Any] = {
        "qkv_proj": PackedLoRALayerWeights.pack([weights("q", SIZES[0]), None, weights("v", SIZES[2])]),
        "o_proj": weights("o_proj", HIDDEN),
    }
    loras.pop(lacks, None)
    return SimpleNamespace(loras=loras, modules_to_save={})


def _weights_of(adapter: Any, name: str) -> Any:
    return adapter.loras.get(name)


def _write(manager: Any, adapter: Any, slot: int) -> None:
    """What vLLM's `activate_adapter` does."""
    for name, module in manager.modules.items():
        weights = adapter.loras.get(name)
        if weights:
            module.set_lora(slot, weights.lora_a, weights.lora_b)
        else:
            module.reset_lora(slot)


def _added(manager: Any, slots: tuple[int, ...]) -> list[torch.Tensor]:
    """What the layers add to zeros."""
    x = torch.randn(len(slots), HIDDEN, generator=torch.Generator().manual_seed(3)).bfloat16()
    added = []
    for name, module in manager.modules.items():
        told(module.punica_wrapper, Batch(slots, SLOTS, 0, False, torch.bfloat16, 1))
        y = torch.zeros(len(slots), sum(LAYERS[name]), dtype=torch.bfloat16)
        module.punica_wrapper.add_lora_linear(
            y, x, module.lora_a_stacked, module.lora_b_stacked, 1.0, module.output_slices
        )
        added.append(y)
    return added


def _equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_lent_and_written_slots_add_the_same_bits_through_every_change(manager: Any) -> None:
    rows = (0, 1, -1, 0)
    adapters = [_adapter(1), _adapter(2, lacks="o_proj"), _adapter(3, rank=4)]
    wanted = {}
    for one in range(3):
        for other in range(3):
            _write(manager, adapters[one], 0)
            _write(manager, adapters[other], 1)
            wanted[one, other] = _added(manager, rows)
    lender = Lender(manager)
    for one, other in [(0, 1), (1, 2), (2, 2), (0, 0), (2, 1)]:
        assert lender.lend(adapters[one], 0, _weights_of) and lender.lend(adapters[other], 1, _weights_of)
        assert _equal(_added(manager, rows), wanted[one, other])
        lender.take_back(0)
        _write(manager, adapters[other], 0)
        assert _equal(_added(manager, rows), wanted[other, other])


def test_vllm_writes_what_an_adapter_lent(manager: Any) -> None:
    adapter, lender = _adapter(1), Lender(manager)
    _write(manager, adapter, 0)
    wanted = _added(manager, (0, 0))
    assert lender.lend(adapter, 1, _weights_of)
    lender.take_back(1)
    _write(manager, adapter, 1)  # from the views that it has since
    assert _equal(_added(manager, (1, 1)), wanted)


def _strange(adapter: Any) -> Any:
    adapter.loras["lm_head"] = adapter.loras["o_proj"]
    return adapter


def _saving(adapter: Any) -> Any:
    adapter.modules_to_save = {"score": object()}
    return adapter


@pytest.mark.parametrize(
    "adapter",
    [_strange(_adapter(1)), _saving(_adapter(1)), _adapter(1, rank=RANK + 1), _adapter(1, dtype=torch.float32)],
    ids=["a module that is not linear", "whole modules", "a rank too many", "float32"],
)
def test_what_cannot_be_lent_is_left_to_vllm(manager: Any, adapter: Any) -> None:
    before = _added(manager, (0,))
    assert not Lender(manager).lend(adapter, 0, _weights_of)
    assert _equal(_added(manager, (0,)), before)


def test_sharded_layers_are_never_lent_to(manager: Any) -> None:
    manager.modules["o_proj"].tp_size = 2
    assert not Lender(manager).lend(_adapter(1), 0, _weights_of)
