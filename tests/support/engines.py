"""vLLM engines for tests, in this process' child: a small fixed KV cache, quick to start, gone at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server.choices import EXECUTOR

_KV_CACHE = 64 << 20  # bytes: plenty for a tiny model, and no share of a memory that others use as well
# For the engine's process: our kernels and no other package's plugins, no question to a hub.
_ENVIRONMENT = {
    "VLLM_PLUGINS": "cni_cpu_lora",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_ALLOW_INSECURE_SERIALIZATION": "1",  # for `apply_model`
}


@contextmanager
def small_engine(base: Path, **options: Any) -> Iterator[Any]:
    """`vllm.LLM` of `base` with LoRA on; `options` are its own. Ends its process at the end."""
    from vllm import LLM

    with _environment():  # while it lives: both processes must agree on how they speak
        llm = LLM(
            str(base),
            enable_lora=True,
            max_lora_rank=16,
            kv_cache_memory_bytes=_KV_CACHE,
            distributed_executor_backend=EXECUTOR,
            seed=0,
            **options,
        )
        try:
            yield llm
        finally:
            llm.llm_engine.engine_core.shutdown()


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
