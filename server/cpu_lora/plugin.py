"""The `vllm.general_plugins` entry point: on a CPU, name our LoRA wrapper, let INT8 bases have LoRA."""

from __future__ import annotations

import logging
import os

from server.cpu_lora.kernel import load_kernel
from server.cpu_lora.settings import TESTED_VLLM_VERSIONS, CpuLoraSettings, read_settings

WRAPPER = "server.cpu_lora.wrapper.GroupedPunicaWrapper"

logger = logging.getLogger("vllm.cni_cpu_lora")  # below vllm's logger, so that its handlers print it


def register() -> None:
    """Contract: called by vLLM in each of its processes, perhaps more than once; never raises, does its work once."""
    try:
        settings = read_settings(os.environ)
    except ValueError as error:
        logger.error("CPU LoRA plugin not registered: %s", error)
        return
    if not settings.enabled:
        return
    import vllm  # heavy, and only a vLLM process calls this
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    version = vllm.__version__.partition("+")[0]
    if version not in TESTED_VLLM_VERSIONS and not settings.any_version:
        logger.warning(
            "CPU LoRA plugin not registered: vLLM %s is not among the tested versions (%s); "
            "vLLM's own CPU LoRA serves. CNI_CPU_LORA_ANY_VERSION=1 registers all the same.",
            version,
            ", ".join(sorted(TESTED_VLLM_VERSIONS)),
        )
        return
    try:
        _serve(type(current_platform))
    except Exception as error:  # an untested vLLM, asked for all the same: what we build on may be gone
        logger.error("CPU LoRA plugin not registered (%r): vLLM's own CPU LoRA serves.", error)
        return
    try:
        _speed_up(settings)
    except Exception as error:
        logger.warning("CPU LoRA: part of the faster paths is left out (%r).", error)


def _serve(platform: type) -> None:
    """What right answers need; the wrapper last, so that a failure before it leaves vLLM's own in place."""
    from server.cpu_lora import released_weights, writes

    released_weights.allow()
    writes.watch()
    platform.get_punica_wrapper = classmethod(lambda _cls: WRAPPER)  # type: ignore[attr-defined]


def _speed_up(settings: CpuLoraSettings) -> None:
    from server.cpu_lora import eager_ops, managers

    managers.lend()
    managers.shorten_bookkeeping()
    if settings.eager_ops:
        eager_ops.use()
        eager_ops.shorten_lookups()
        eager_ops.call_attention_directly()
        eager_ops.count_ranks()
    engine = load_kernel(settings.kernel and settings.linear)
    if settings.int8_embedding:
        from server.cpu_lora import int8_embedding

        int8_embedding.use(engine)
    if engine is not None:
        import torch

        from server.cpu_lora import int8_linear, linear, step

        # Where AMX is, oneDNN uses it for what has many rows.
        prompts = settings.prompts and not torch.cpu._is_amx_tile_supported()
        linear.use(engine, prompts)
        int8_linear.use(engine)
        if settings.step:
            step.use(engine, prompts)
