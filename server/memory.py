"""From settings and machine to what fits into its memory, and the lines that `explain` shows of it."""

from dataclasses import dataclass
from pathlib import Path

from adapters.registry.base_model import BaseModel
from server.base_shape import read_shape
from server.choice import Choice
from server.fit import GIB, Fit, Room, Wanted, fit
from server.machine import Machine
from server.settings import Settings

# Before a hub has delivered the base: vLLM fits the context to the cache itself.
_AUTO = -1
_QUARTER = 0.25
_UTILISATION = 0.92  # of a GPU's memory: vLLM's own default
_GPU_SLACK = 0.01
GPU_SHARE = "GPU share"


@dataclass(frozen=True)
class Memory:
    """`settings` with every size filled in; `adapters`: bytes for copies in host memory; `choices`: each with why."""

    settings: Settings
    adapters: int
    choices: tuple[Choice, ...]


def room_of(settings: Settings, machine: Machine) -> Room:
    """What is at hand: the machine's or its container's memory, or less where a setting says so."""
    limit = int(settings.memory_gib * GIB)
    memory = min(machine.memory, limit) if limit else machine.memory
    gpu = machine.gpu[0] if machine.gpu else 0
    return Room(memory, int(settings.reserve_gib * GIB), gpu)


def fitted(settings: Settings, machine: Machine, folder: Path | None, base: BaseModel | None) -> Memory:
    """`folder`, `base`: None while the base is still on a hub. Raises TooLittle, OSError, ValueError, KeyError."""
    room = room_of(settings, machine)
    if folder is None or base is None or not (machine.cpu_only or room.gpu):
        return _unknown(settings, room)
    shape = read_shape(folder, settings.model, settings.dtype, settings.kv_cache_dtype, machine.cpu_only)
    wanted = Wanted(
        context=settings.max_model_len,
        kv=int(settings.kv_cache_gib * GIB),
        sequences=settings.max_num_seqs,
        batch=settings.max_num_batched_tokens,
        adapters=max(
            settings.max_loras * base.adapter_bytes(settings.max_lora_rank), int(settings.lora_memory_gib * GIB)
        ),
    )
    found = fit(shape, room, wanted)
    sizes = {
        "max_model_len": found.context,
        "max_num_seqs": found.sequences,
        "max_num_batched_tokens": found.batch,
        "kv_cache_gib": found.kv / GIB,
    }
    choices = (*_choices(found, settings, room, machine), *_share(machine))
    return Memory(settings.model_copy(update=sizes), found.adapters, choices)


def _unknown(settings: Settings, room: Room) -> Memory:
    """The base is not here yet, or the GPU's driver says nothing: vLLM measures, a CPU's cache is a quarter."""
    kv = settings.kv_cache_gib or max(1, int(room.memory * _QUARTER / GIB))
    sizes = {
        "max_model_len": settings.max_model_len or _AUTO,
        "max_num_seqs": settings.max_num_seqs or 32,
        "kv_cache_gib": kv,
    }
    why = "the base is not here yet: vLLM fits the context to the KV cache"
    context = Choice("context length", str(settings.max_model_len or "what fits"), why)
    cache = Choice("KV cache", f"{kv:.1f} GiB", f"a quarter of {room.memory / GIB:.1f} GiB at hand")
    return Memory(settings.model_copy(update=sizes), room.memory // 10, (context, cache))


def _choices(found: Fit, settings: Settings, room: Room, machine: Machine) -> tuple[Choice, ...]:
    full = f"the base's own {found.positions:,} would need {found.full / GIB:.1f} GiB of KV cache"
    context = "all that the base can" if found.whole else f"what the KV cache holds; {full}"
    at_hand = (
        f"{room.memory / GIB:.1f} GiB at hand" if not room.gpu else f"{room.gpu / GIB:.1f} GiB of the GPU's memory"
    )
    beside = f", {room.beside / GIB:.1f} left to others (SERVER_RESERVE_GIB)" if room.beside else ""
    threads = f"{len(machine.cores)} cores"
    if machine.threads < len(machine.cores):
        threads += f", of which the container's quota leaves {machine.quota:g}"
    return (
        Choice("context length", f"{found.context:,}", _why(settings.max_model_len, "SERVER_MAX_MODEL_LEN", context)),
        Choice(
            "KV cache",
            f"{found.kv / GIB:.2f} GiB",
            _why(int(settings.kv_cache_gib > 0), "SERVER_KV_CACHE_GIB", f"from {at_hand}{beside}"),
        ),
        Choice(
            "requests in a batch",
            str(found.sequences),
            _why(settings.max_num_seqs, "SERVER_MAX_NUM_SEQS", f"the KV cache holds {found.cards:,} cards at once"),
        ),
        Choice(
            "tokens in a batch",
            f"{found.batch:,}",
            _why(settings.max_num_batched_tokens, "SERVER_MAX_NUM_BATCHED_TOKENS", "what the memory holds beside all"),
        ),
        Choice("threads", str(machine.threads), threads),
    )


def _why(given: int, name: str, chosen: str) -> str:
    return f"set by {name}" if given else chosen


def _share(machine: Machine) -> tuple[Choice, ...]:
    """vLLM ends when less of the GPU is free than its share: where others use it too, we say the share."""
    if machine.gpu is None or machine.gpu[0] >= _UTILISATION * machine.gpu[1]:
        return ()
    free, total = machine.gpu
    share = int((free / total - _GPU_SLACK) * 100) / 100
    return (Choice(GPU_SHARE, f"{share:.2f}", f"{free / GIB:.1f} of {total / GIB:.1f} GiB are free"),)
