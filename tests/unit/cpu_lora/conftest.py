"""What the tests of the compiled kernel share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from vllm.config import VllmConfig, set_current_vllm_config
from vllm.config.lora import LoRAConfig
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.distributed.parallel_state import destroy_distributed_environment, destroy_model_parallel

from server.cpu_lora import kernel


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


@pytest.fixture(scope="module")
def engine() -> kernel.Kernel:
    loaded = kernel.load_kernel(True)
    if loaded is None:
        pytest.skip("need AVX-512 BF16 and a C++ compiler")
    return loaded
