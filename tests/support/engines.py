"""vLLM engines for tests, in this process' child: a small fixed KV cache, quick to start, gone at the end."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
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
# Imports are four fifths of a start. A process that has only imported is kept, and each engine is a fork of it.
_IMPORTED = ["vllm.v1.engine.core", "vllm.v1.worker.cpu_worker", "vllm.model_executor.models.llama"]


@contextmanager
def small_engine(base: Path, **options: Any) -> Iterator[Any]:
    """`vllm.LLM` of `base` with LoRA on; `options` are its own. Ends its process at the end."""
    from vllm import LLM

    with _environment():  # while it lives: both processes must agree on how they speak
        with _forked():
            llm = LLM(
                str(base),
                enable_lora=True,
                distributed_executor_backend=EXECUTOR,
                max_lora_rank=16,
                kv_cache_memory_bytes=_KV_CACHE,
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


class _Forks:
    """What of `multiprocessing`'s context vLLM asks for: a process, here with the environment of its start."""

    @staticmethod
    def Process(target: Callable[..., None], name: str, kwargs: dict[str, Any]) -> Any:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED)
        return context.Process(target=_with_environment, name=name, args=(dict(os.environ), target), kwargs=kwargs)


def _with_environment(environment: dict[str, str], target: Callable[..., None], **more: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(**more)


@contextmanager
def _forked() -> Iterator[None]:
    from vllm.v1.engine import utils

    before = utils.get_mp_context
    utils.get_mp_context = _Forks
    try:
        yield
    finally:
        utils.get_mp_context = before
