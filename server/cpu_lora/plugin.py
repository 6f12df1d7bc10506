"""The `vllm.general_plugins` entry point: on a CPU, name our LoRA wrapper, let INT8 bases have LoRA.

It is closed: whatever keeps the wrapper from being registered ends the process with one sentence. vLLM's own wrapper
answers a base request with the weights of whichever adapter is in the last slot.
"""

from __future__ import annotations

import os

from server.cpu_lora.kernel import load_kernel
from server.cpu_lora.settings import WRAPPER, CpuLoraSettings, read_settings
from server.vllm.contract import ContractError, require


def register() -> None:
    """Contract: called by vLLM in each of its processes, perhaps more than once; does its work once.

    Raises SystemExit with one sentence when a switch is misspelt or this vLLM is not what we build upon."""
    try:
        settings = read_settings(os.environ)
        if not settings.enabled:
            return
        import vllm  # heavy, and only a vLLM process calls this
        from vllm.platforms import current_platform

        if not current_platform.is_cpu():
            return
        require("cpu", vllm.__version__.partition("+")[0], settings.any_version)
        _serve(type(current_platform))
        _speed_up(settings)
    except (ValueError, ContractError) as error:
        raise SystemExit(f"[server] cannot start: {error}") from None
    except Exception as error:
        text = f"our LoRA wrapper for CPUs could not be registered ({type(error).__name__})"
        raise SystemExit(f"[server] cannot start: {text}; vLLM's own would mix adapters up.") from error


def _serve(platform: type) -> None:
    """What right answers need; the wrapper last, so that a failure before it leaves nothing half done."""
    from server.cpu_lora import released_weights, writes
    from server.vllm import seeds

    seeds.keep()
    released_weights.allow()
    writes.watch()
    platform.get_punica_wrapper = classmethod(lambda _cls: WRAPPER)  # type: ignore[attr-defined]


def _speed_up(settings: CpuLoraSettings) -> None:
    from server.cpu_lora import eager_ops, managers
    from server.drafts import sampling

    sampling.allow()
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

        from server.cpu_lora import greedy, int8_linear, linear, step

        # Where AMX is, oneDNN uses it for what has many rows.
        prompts = settings.prompts and not torch.cpu._is_amx_tile_supported()
        linear.use(engine, prompts)
        int8_linear.use(engine)
        if settings.greedy:
            greedy.use(engine)
        if settings.step:
            step.use(engine, prompts)
