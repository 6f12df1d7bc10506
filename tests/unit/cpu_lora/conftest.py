"""What the tests of the compiled kernel share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from vllm.config import VllmConfig, set_current_vllm_config
from vllm.config.lora import LoRAConfig
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.distributed.parallel_state import destroy_distributed_environment, destroy_model_parallel

from server.cpu_lora import kernel, writes
from server.cpu_lora.patching import is_ours, stock_of


@contextmanager
def one_rank(config: LoRAConfig, folder: Path) -> Iterator[None]:
    """Where vLLM's own layers can be made: a process group of one, in `folder`, and a model that serves LoRA."""
    vllm_config = VllmConfig()
    vllm_config.lora_config = config
    with set_current_vllm_config(vllm_config):
        init_distributed_environment(1, 0, f"file://{folder}/store", 0, "gloo")
        initialize_model_parallel(1, 1)
        yield
        destroy_model_parallel()
        destroy_distributed_environment()


def replaced() -> Iterator[tuple[Any, str]]:
    """Everything of vLLM that the plugin replaces, and the name that it has there."""
    from vllm.lora.layers import base_linear
    from vllm.lora.layers.base import BaseLayerWithLoRA
    from vllm.lora.model_manager import LoRAModelManager
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager
    from vllm.model_executor.kernels.linear.scaled_mm.cpu import CPUInt8ScaledMMLinearKernel
    from vllm.model_executor.layers import utils
    from vllm.model_executor.layers.activation import SiluAndMul
    from vllm.model_executor.layers.attention import Attention
    from vllm.model_executor.layers.layernorm import RMSNorm
    from vllm.model_executor.layers.rotary_embedding.base import RotaryEmbedding
    from vllm.model_executor.layers.vocab_parallel_embedding import UnquantizedEmbeddingMethod
    from vllm.model_executor.models.llama import LlamaModel
    from vllm.model_executor.models.qwen2 import Qwen2Model
    from vllm.v1.sample import sampler
    from vllm.v1.sample.rejection_sampler import RejectionSampler
    from vllm.v1.worker import gpu_model_runner

    for owner in (RMSNorm, SiluAndMul, RotaryEmbedding):
        yield owner, "forward_native"
    for owner in (CPUInt8ScaledMMLinearKernel, UnquantizedEmbeddingMethod):
        yield owner, "process_weights_after_loading"
    yield from ((CPUInt8ScaledMMLinearKernel, "apply_weights"), (UnquantizedEmbeddingMethod, "embedding"))
    yield from ((utils, "dispatch_cpu_unquantized_gemm"), (base_linear.BaseLinearLayerWithLoRA, "apply"))
    yield from ((base_linear, "_get_lora_device"), (BaseLayerWithLoRA, "set_mapping"), (Attention, "__init__"))
    yield from ((sampler.Sampler, "forward"), (RejectionSampler, "forward"))
    yield gpu_model_runner, "apply_grammar_bitmask"
    yield from ((sampler, "batched_count_greater_than"), (LlamaModel, "forward"), (Qwen2Model, "forward"))
    for name in ("activate_adapter", "_deactivate_adapter", "remove_all_adapters"):
        yield LoRAModelManager, name
    yield LRUCacheWorkerLoRAManager, "add_adapter"
    for kind in writes._kinds(BaseLayerWithLoRA):
        yield from ((kind, name) for name in ("reset_lora", "set_lora") if name in vars(kind))


@pytest.fixture(autouse=True)
def vllms_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with vLLM as it was installed, whatever ran before in this process, and leaves it as it was."""
    for owner, name in replaced():
        stock = stock_of(getattr(owner, name))
        is_static = owner.__name__ == "SiluAndMul"
        monkeypatch.setattr(owner, name, staticmethod(stock) if is_static else stock)
        assert not is_ours(getattr(owner, name))


@pytest.fixture(scope="module")
def engine() -> kernel.Kernel:
    loaded = kernel.load_kernel(True)
    if loaded is None:
        pytest.skip("need AVX-512 BF16 and a C++ compiler")
    return loaded
