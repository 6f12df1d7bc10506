"""Pure: settings and machine facts in, vLLM's command line and environment out, each choice with its reason."""

import json
from dataclasses import dataclass
from pathlib import Path

from server.machine import Machine
from server.settings import Settings
from server.telemetry import trace_environment, trace_options
from server.tuned import Tuned

_GIB = 1 << 30
_ENTRY = "vllm.entrypoints.launchers.api_server.entry"
# The engine and the model in one process. vLLM's name for it, `uni`, becomes `mp` on a CPU: two processes that wait for
# each other by spinning, on the cores that the model and the OCR need.
_EXECUTOR = "vllm.v1.executor.uniproc_executor.UniProcExecutor"
# Tokens in a block of the KV cache, a multiple of 32. vLLM's 128 is longer than our prompts' fixed beginning, which is
# then never found in the prefix cache.
_BLOCK = 32
# The part of the available memory that the KV cache of a CPU server may take, and its bounds in GiB.
_KV_SHARE, _KV_LEAST, _KV_MOST = 0.25, 1, 64
# A tuned option's name among the choices.
_TUNED_NAMES = {"--block-size": "block size", "--distributed-executor-backend": "executor"}
# Up to this many cores, all of them compute: measured 1.7 times the throughput of vLLM's default on two cores.
_BIND_ALL_CORES = 4


@dataclass(frozen=True)
class Choice:
    """One decision of the launch and why it was taken."""

    name: str
    value: str
    why: str


@dataclass(frozen=True)
class Launch:
    """What to execute. `environment` holds only what differs from the caller's."""

    command: list[str]
    environment: dict[str, str]
    choices: list[Choice]


def plan(
    settings: Settings, machine: Machine, model_is_folder: bool, preload: str = "", tuned: Tuned | None = None
) -> Launch:
    """The launch for these settings on this machine. `preload`: the caller's LD_PRELOAD, kept; `tuned`: CPU only."""
    tuned = tuned if machine.cpu_only else None
    choices = [
        *_model(settings, model_is_folder),
        *_plugins(machine),
        *(_tuned(_cpu(settings, machine, preload, tuned), machine, tuned) if machine.cpu_only else _gpu()),
    ]
    environment = {choice.name: choice.value for choice in choices if choice.name.isupper()}
    own = {**_own(settings), **_quiet(settings), **trace_environment(settings)}
    return Launch([*_command(settings, machine), *_options(tuned)], {**environment, **own}, choices)


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


def _tuned(chosen: list[Choice], machine: Machine, tuned: Tuned | None) -> list[Choice]:
    """The choices with a profile's in their place, and a line that says where the profile is or would be."""
    if tuned is None:
        return [*chosen, Choice("tuned profile", "none", f"make bench-tune would write {machine.profile}")]
    why = "measured on this machine by make bench-tune; SERVER_TUNED_PROFILE=none leaves it out"
    replaced = {_TUNED_NAMES.get(name, name): value for name, value in tuned.options.items()} | tuned.environment
    kept = [choice for choice in chosen if choice.name not in replaced]
    made = [Choice(name, value or "on", why) for name, value in replaced.items()]
    return [*kept, *made, Choice("tuned profile", str(tuned.path), f"{len(made)} choices replaced")]


def _cpu(settings: Settings, machine: Machine, preload: str, tuned: Tuned | None) -> list[Choice]:
    kv = settings.kv_cache_gib
    why = "set by SERVER_KV_CACHE_GIB"
    if not kv:
        kv = min(max(int(machine.memory * _KV_SHARE / _GIB), _KV_LEAST), _KV_MOST)
        why = f"a quarter of {machine.memory / _GIB:.1f} GiB available"
    chosen = [Choice("VLLM_CPU_KVCACHE_SPACE", str(kv), why)]
    if len(machine.cores) <= _BIND_ALL_CORES:
        cores = ",".join(str(core) for core in machine.cores)
        chosen.append(Choice("VLLM_CPU_OMP_THREADS_BIND", cores, "few cores: vLLM would keep one of them idle"))
    chosen.append(Choice("executor", _EXECUTOR.rpartition(".")[2], "no second process that spins on the same cores"))
    chosen.append(
        Choice("block size", str(_BLOCK), "the prompts' fixed beginning fits whole blocks of the prefix cache")
    )
    libraries = {"tcmalloc": machine.tcmalloc, "libiomp5": machine.iomp5}
    if tuned is not None and tuned.preload is not None:
        libraries = {name: path for name, path in libraries.items() if name in tuned.preload}
    found = [str(path) for path in libraries.values() if path is not None]
    if found:
        value = ":".join([*found, *filter(None, [preload])])
        chosen.append(Choice("LD_PRELOAD", value, "measured 1.3 times the throughput on two cores"))
    for name in (name for name, path in libraries.items() if path is None):
        chosen.append(Choice(name, "not found", "slower: install it to preload it"))
    return chosen


def _own(settings: Settings) -> dict[str, str]:
    """Our settings, for the plugins in the processes to come: a command-line option reaches them like this."""
    values = settings.model_dump(mode="json", exclude_none=True)
    return {f"SERVER_{name.upper()}": str(value) for name, value in values.items()}


def _quiet(settings: Settings) -> dict[str, str]:
    return {
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
        "--max-cpu-loras": str((settings.max_cpu_loras or settings.max_loras) + 1),
        "--max-num-seqs": str(settings.max_num_seqs),
        # The base keeps the sampling that its authors advise; adapters are greedy (server/routes/inference.py).
        "--generation-config": "auto",
        "--structured-outputs-config": json.dumps({"backend": "xgrammar"}),
        # Browsers of other sites get nothing.
        "--allowed-origins": "[]",
        # Pins keep their slot by it, and metrics learn what is in slots (server/control/slot_worker.py).
        "--worker-extension-cls": "server.control.slot_worker.SlotControl",
        "--shutdown-timeout": str(int(settings.drain_seconds)),
        "--uvicorn-log-level": "warning",
    }
    if machine.cpu_only:
        options["--distributed-executor-backend"] = _EXECUTOR
        options["--block-size"] = str(_BLOCK)
    options |= trace_options(settings)
    if settings.kv_cache_dtype != "auto":
        options["--kv-cache-dtype"] = settings.kv_cache_dtype
    if settings.max_model_len:
        options["--max-model-len"] = str(settings.max_model_len)
    # No request, path or client address is logged; prompts least of all.
    flags = ["--enable-lora", "--enable-prefix-caching", "--disable-uvicorn-access-log", "--no-enable-log-requests"]
    flags += ["--disable-fastapi-docs", "--no-enable-log-outputs"]
    return [machine.python, "-m", _ENTRY, *(part for pair in options.items() for part in pair), *flags]


def _options(tuned: Tuned | None) -> list[str]:
    """A profile's options come last: vLLM takes the last of two."""
    pairs = tuned.options.items() if tuned is not None else ()
    return [word for name, value in pairs for word in (name, *value.split())]


def is_folder(model: str) -> bool:
    """Whether `model` is a folder here rather than a name on a hub."""
    return Path(model).is_dir()
