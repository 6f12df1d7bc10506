"""Pure: settings and machine facts in, vLLM's command line and environment out, each choice with its reason."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from server.choice import Choice
from server.choices import EXECUTOR, given, on_cpu, with_profile
from server.drafts import options as drafts
from server.engine_options import parse
from server.fit import BLOCK, GIB
from server.machine import Machine
from server.memory import GPU_SHARE
from server.settings import Settings
from server.telemetry import trace_environment, trace_options
from server.tiers import size_tiers
from server.tuned import Tuned
from server.vllm.release import API_SERVER


@dataclass(frozen=True)
class Launch:
    """What to execute. `environment` holds only what differs from the caller's."""

    command: list[str]
    environment: dict[str, str]
    choices: list[Choice]


def plan(
    settings: Settings,
    machine: Machine,
    model_is_folder: bool,
    environ: Mapping[str, str] = MappingProxyType({}),
    tuned: Tuned | None = None,
    memory: Sequence[Choice] = (),
) -> Launch:
    """The launch for these settings on this machine.

    `environ`: the caller's; `tuned`: CPU only; `memory`: how the sizes in `settings` were chosen (server/memory.py).
    """
    tuned = tuned if machine.cpu_only else None
    first, last = _command(settings, machine), [*_options(tuned), *parse(settings.engine_options)]
    draft_tokens = min(_draft_tokens(settings, machine, last), drafts.room([*first, *last]))
    preload = environ.get("LD_PRELOAD", "")
    choices = [
        *_model(settings, model_is_folder),
        *_plugins(machine),
        *memory,
        *(with_profile(on_cpu(machine, preload, tuned), machine, tuned) if machine.cpu_only else _gpu()),
        *(drafts.choices(draft_tokens) if machine.cpu_only else []),
    ]
    choices = [given(choice, environ) for choice in choices]
    environment = {choice.name: choice.value for choice in choices if choice.name.isupper()}
    own = {**_own(settings), **_quiet(settings), **trace_environment(settings)}
    share = {choice.name: choice.value for choice in memory}.get(GPU_SHARE)
    options = ["--gpu-memory-utilization", share] if share else []
    options += [word for pair in drafts.options(draft_tokens).items() for word in pair]
    command = [*first, *options, *last]
    return Launch(command, {**environment, **own}, choices)


def _draft_tokens(settings: Settings, machine: Machine, last: Sequence[str]) -> int:
    """None on a GPU, where vLLM's own speculation is at home, and where a profile or an operator names another."""
    if any(word.startswith(("--spec", "--scheduler-cls", "-sc")) for word in last):
        return 0
    return settings.draft_tokens if machine.cpu_only else 0


def _model(settings: Settings, is_folder: bool) -> list[Choice]:
    chosen = [Choice("model", settings.model, f"served as {settings.served_name!r}")]
    if is_folder and "hf://" not in settings.remote_sources:
        chosen.append(Choice("HF_HUB_OFFLINE", "1", "the model is a local folder: no hub is asked"))
    return chosen


def _plugins(machine: Machine) -> list[Choice]:
    names = ",".join(sorted(machine.plugins))
    return [Choice("VLLM_PLUGINS", names, "vLLM loads endpoint plugins by name only")]


def _gpu() -> list[Choice]:
    return [Choice("device", "cuda", "the CUDA build of vLLM is installed; it sizes its own memory")]


def _own(settings: Settings) -> dict[str, str]:
    """Our settings, for the plugins in the processes to come: a command-line option reaches them like this."""
    values = settings.model_dump(mode="json", exclude_none=True)
    return {f"SERVER_{name.upper()}": str(value) for name, value in values.items()}


def _quiet(settings: Settings) -> dict[str, str]:
    return {
        **({"CNI_CPU_LORA_ANY_VERSION": "1"} if settings.any_vllm else {}),
        "VLLM_LOGGING_LEVEL": settings.log_level,
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _command(settings: Settings, machine: Machine) -> list[str]:
    options = {
        "--model": settings.model,
        "--served-model-name": settings.served_name,
        "--host": settings.host,
        "--port": str(settings.port),
        "--dtype": settings.dtype,
        "--max-loras": str(settings.max_loras),
        "--max-lora-rank": str(settings.max_lora_rank),
        # Above what the control plane loads: room for the probe of a revision that is being registered.
        "--max-cpu-loras": str(size_tiers(settings.max_loras, settings.max_cpu_loras, 1, 1).room.most + 1),
        # The base keeps the sampling that its authors advise; adapters are greedy (server/vllm/inference.py).
        "--generation-config": "auto",
        "--structured-outputs-config": json.dumps({"backend": "xgrammar", "disable_any_whitespace": True}),
        # Without our plugin there would be no gate: then this one answers nothing (server/vllm/closed.py).
        "--middleware": "server.vllm.closed.Closed",
        # Browsers of other sites get nothing.
        "--allowed-origins": "[]",
        # Pins keep their slot by it, and metrics learn what is in slots (server/vllm/slot_worker.py).
        "--worker-extension-cls": "server.vllm.slot_worker.SlotControl",
        # One drain, ours (server/background.py). This is for the engine's process to end by itself, not for requests.
        "--shutdown-timeout": "3",
        "--uvicorn-log-level": "warning",
    }
    if machine.cpu_only:
        options["--distributed-executor-backend"] = EXECUTOR
        options["--block-size"] = str(BLOCK)
        if settings.kv_cache_gib:
            options["--kv-cache-memory-bytes"] = str(int(settings.kv_cache_gib * GIB))
    options |= trace_options(settings)
    if settings.kv_cache_dtype != "auto":
        options["--kv-cache-dtype"] = settings.kv_cache_dtype
    sizes = {
        "--max-model-len": settings.max_model_len,
        "--max-num-seqs": settings.max_num_seqs,
        "--max-num-batched-tokens": settings.max_num_batched_tokens,
    }
    options |= {name: str(size) for name, size in sizes.items() if size}
    # No request, path or client address is logged; prompts least of all.
    flags = ["--enable-lora", "--enable-prefix-caching", "--disable-uvicorn-access-log", "--no-enable-log-requests"]
    flags += ["--disable-fastapi-docs", "--no-enable-log-outputs"]
    return [machine.python, "-m", API_SERVER, *(part for pair in options.items() for part in pair), *flags]


def _options(tuned: Tuned | None) -> list[str]:
    """A profile's options come last: vLLM takes the last of two."""
    pairs = tuned.options.items() if tuned is not None else ()
    return [word for name, value in pairs for word in (name, *value.split())]


def is_folder(model: str) -> bool:
    """Whether `model` is a folder here rather than a name on a hub."""
    return Path(model).is_dir()
