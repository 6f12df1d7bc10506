"""Pure: base and memory at hand in, context, KV cache, sequences and batch out, so fitted that one full context always
lies in the cache; or one sentence that says why it cannot be.

What each part takes was measured on Qwen3-0.6B's shape and the embedded base (benchmarks/lora/memory_fit.py).
"""

from dataclasses import dataclass
from pathlib import PurePath

GIB = 1 << 30
# Tokens in a block of the KV cache, a multiple of 32. vLLM's 128 is longer than our prompts' fixed beginning, which is
# then never found in the prefix cache.
BLOCK = 32
# A card: up to 100 short lines, an answer of some hundred tokens. Less context than LEAST reads no card surely.
CARD, LEAST = 1024, 2048
# Both processes of the server on a CPU, without weights, cache and adapters.
_PROGRAM = 2 * GIB
# Kept free: what the allocator and a request under way take beside the sums below.
_MARGIN = 0.05
_QUARTER, _TENTH, _MOST_KV = 0.25, 0.1, 64 * GIB
_SEQUENCES = {"cpu": 32, "gpu": 128}
_BATCHES = {"cpu": (2048, 1024, 512), "gpu": (8192, 4096, 2048)}
# vLLM's own share of a GPU, and what CUDA and its graphs take of that.
_GPU_SHARE, _GPU_PROGRAM = 0.9, 2 * GIB


class TooLittle(Exception):
    """One sentence: what is at hand, what is needed, the way out."""


@dataclass(frozen=True)
class Shape:
    """A base. `place`: folder or hub name; `weights`: bytes in memory; `eighth`: the same in eight bits, 0 where it
    is quantized already.

    `token`: bytes of one token in the KV cache, all layers; `wide`: values of one token's widest activations.
    """

    name: str
    place: str
    weights: int
    eighth: int
    positions: int
    token: int
    vocabulary: int
    wide: int


@dataclass(frozen=True)
class Room:
    """`memory`: bytes at hand for the server and what stands beside it; `beside`: what that takes, the OCR front's.

    `gpu`: bytes of the GPU's memory that are free, 0 on a CPU. Context and cache then lie there.
    """

    memory: int
    beside: int = 0
    gpu: int = 0

    @property
    def kind(self) -> str:
        """`gpu` or `cpu`."""
        return "gpu" if self.gpu else "cpu"


@dataclass(frozen=True)
class Wanted:
    """What an operator set; zeros are chosen here. `adapters`: bytes that the slots' adapters take at least."""

    context: int = 0
    kv: int = 0
    sequences: int = 0
    batch: int = 0
    adapters: int = 0


NOTHING = Wanted()


@dataclass(frozen=True)
class Fit:
    """`context` and `batch` in tokens, `kv` and `adapters` in bytes, `full`: cache that all `positions` would need.

    `cards`: how many cards of CARD tokens the cache holds at once.
    """

    context: int
    kv: int
    sequences: int
    batch: int
    adapters: int
    full: int
    positions: int
    cards: int

    @property
    def whole(self) -> bool:
        """Whether the context is all that the base can."""
        return self.context >= self.positions


def fit(shape: Shape, room: Room, wanted: Wanted = NOTHING) -> Fit:
    """Raises TooLittle. Whatever it returns: `context` tokens and the block that vLLM keeps empty fit into `kv`."""
    left, parts = _left(shape, room, wanted)
    wished = wanted.context or min(LEAST, shape.positions)
    needed = wanted.kv or cache_bytes(shape, wished)
    if needed > left:
        raise TooLittle(_sentence(shape, room, wanted, parts, needed, left))
    kv = wanted.kv or _cache(shape, room, wanted, left)
    tokens = _tokens(shape, kv)
    context = wanted.context or min(shape.positions, tokens)
    if context > tokens:
        raise TooLittle(_contradiction(shape, context, kv, tokens))
    cards = max(1, tokens // min(CARD, context))
    sequences = wanted.sequences or max(1, min(_SEQUENCES[room.kind], cards))
    batch = wanted.batch or _batch(shape, room, context, sequences)
    spare = left - kv + wanted.adapters if room.kind == "cpu" else room.memory
    adapters = max(wanted.adapters, min(spare, int(room.memory * _TENTH)))
    full = cache_bytes(shape, shape.positions)
    return Fit(context, kv, sequences, batch, adapters, full, shape.positions, cards)


def cache_bytes(shape: Shape, context: int) -> int:
    """The KV cache that holds one sequence of `context` tokens: whole blocks, and the one that vLLM keeps empty."""
    return (-(-context // BLOCK) + 1) * BLOCK * shape.token


def _tokens(shape: Shape, kv: int) -> int:
    return max(0, kv // (BLOCK * shape.token) - 1) * BLOCK


def _left(shape: Shape, room: Room, wanted: Wanted) -> tuple[int, dict[str, int]]:
    """Bytes for the KV cache after all else, and what that is."""
    if room.kind == "gpu":
        parts = {"weights": shape.weights, "CUDA": _GPU_PROGRAM, "adapters": wanted.adapters}
        parts["a batch"] = _activations(shape, _BATCHES["gpu"][-1], _SEQUENCES["gpu"])
        return int(room.gpu * _GPU_SHARE) - sum(parts.values()), parts
    parts = {"weights": shape.weights, "programs": _PROGRAM, "adapters": wanted.adapters}
    parts["a batch"] = _activations(shape, _BATCHES["cpu"][-1], wanted.sequences or _SEQUENCES["cpu"])
    if room.beside:
        parts["the OCR front"] = room.beside
    parts["a margin"] = int(room.memory * _MARGIN)
    return room.memory - sum(parts.values()), parts


def _cache(shape: Shape, room: Room, wanted: Wanted, left: int) -> int:
    """All that is left on a GPU. On a CPU as much as helps: a full context, every sequence's card, a quarter of all."""
    if room.kind == "gpu":
        return left
    context = wanted.context or shape.positions
    cards = (wanted.sequences or _SEQUENCES["cpu"]) * cache_bytes(shape, CARD)
    helps = min(max(cards, int(room.memory * _QUARTER)), _MOST_KV)
    return min(left, max(cache_bytes(shape, context), helps))


def _batch(shape: Shape, room: Room, context: int, sequences: int) -> int:
    """Prompt tokens computed together: as many as a twentieth of the memory holds, never fewer than sequences."""
    spare = int((room.gpu or room.memory) * _MARGIN)
    able = [size for size in _BATCHES[room.kind] if _activations(shape, size, sequences) <= spare]
    return max(min(able[0] if able else _BATCHES[room.kind][-1], context), sequences)


def _activations(shape: Shape, batch: int, sequences: int) -> int:
    """Bytes: a batch's widest values a few times over in bfloat16, logits in float32 a few times over."""
    return 4 * 2 * batch * shape.wide + 4 * 4 * sequences * shape.vocabulary


def _sentence(shape: Shape, room: Room, wanted: Wanted, parts: dict[str, int], needed: int, left: int) -> str:
    at_hand, where = (room.gpu, "of the GPU's memory") if room.gpu else (room.memory, "of memory")
    taken = ", ".join(f"{name} {size / GIB:.1f}" for name, size in parts.items() if size >= GIB / 20)
    what = (
        f"SERVER_KV_CACHE_GIB asks for {wanted.kv / GIB:.1f}"
        if wanted.kv
        else f"a context of {wanted.context or min(LEAST, shape.positions):,} tokens needs {needed / GIB:.1f}"
    )
    said = (
        f"{shape.name} does not fit: of {at_hand / GIB:.1f} GiB {where} at hand, {max(left, 0) / GIB:.1f} are left for "
        f"the KV cache ({taken}), and {what}"
    )
    return f"{said}: {_way_out(shape, room, wanted, needed, left)}."


def _way_out(shape: Shape, room: Room, wanted: Wanted, needed: int, left: int) -> str:
    least = cache_bytes(shape, min(LEAST, shape.positions))
    if (wanted.kv or wanted.context) and left >= least:
        return f"leave it to the server, which chooses a context of {min(shape.positions, _tokens(shape, left)):,}"
    saved = shape.weights - shape.eighth if shape.eighth else 0
    if saved and needed <= left + saved:
        out = f"runs/{PurePath(shape.place).name}-int8"
        return (
            f"serve {out} instead, {saved / GIB:.1f} GiB smaller, which "
            f"'python -m adapters quantize --base {shape.place} --method int8 --out {out}' makes"
        )
    return f"close something, or use a machine with {(needed - left) / GIB:.1f} GiB more"


def _contradiction(shape: Shape, context: int, kv: int, tokens: int) -> str:
    return (
        f"SERVER_MAX_MODEL_LEN {context} needs {cache_bytes(shape, context) / GIB:.1f} GiB of KV cache and "
        f"SERVER_KV_CACHE_GIB gives {kv / GIB:.1f}, which holds {tokens:,} tokens: leave one of them out."
    )
