"""Memory of a training run: measured while it runs, estimated before, so that it is refused, not killed."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from adapters.cgroup import available_memory
from adapters.errors import BaseModelError, RecipeError
from adapters.registry.safetensors_header import Tensor, read_header
from adapters.training.dataset import Example
from adapters.training.recipe import Recipe

_GB = 1e9
# Measured on the embedded base at 4 x 424 tokens (docs/lab-notes.md): interpreter and libraries, and what the allocator
# and the operators' own scratch space add to the tensors that are kept for the backward pass.
_PROGRAM = 350_000_000
_SLACK = 1.7
# Bytes a weight. NF4: half of one, and of each block of 64 a scale in eight bits, of each 256 scales one in float32.
_BF16, _NF4 = 2.0, 0.5 + 1 / 64 + 4 / (64 * 256)
_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
_STAY = ("embed", "lm_head", "norm")  # in bfloat16, as transformers loads them for bitsandbytes


def peak() -> int:
    """Most memory that this process has held, in bytes. VmHWM: `ru_maxrss` would include the parent's before exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def peak_gpu() -> int:
    """Most memory that tensors have held on the GPU, in bytes; 0 without one."""
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0


def need(config: Any, recipe: Recipe, examples: Sequence[Example], weights: int, adapter: int) -> int:
    """Bytes that training takes at its longest batch.

    `config`: the base's; `weights`: the base's bytes; `adapter`: trained parameters. Kept for each token and layer:
    three values of the MLP's width in bfloat16, of the model's four in float32 (norms) and four in bfloat16, the heads'
    queries, keys and values, and one bfloat16 probability for each head and token.
    """
    longest = sorted((len(example.tokens) for example in examples), reverse=True)[: recipe.optimization.batch]
    length, width = longest[0], config.hidden_size
    tokens = length * len(longest)
    heads: int = config.num_attention_heads
    across = heads * (getattr(config, "head_dim", None) or width // heads)
    layer = 6 * config.intermediate_size + 24 * width + 6 * across + 2 * heads * length
    layers = config.num_hidden_layers
    # Checkpointed: every layer's input, and one layer with its gradients and scratch space.
    kept = tokens * (3 * layer + 2 * width * layers if recipe.gradient_checkpointing else layer * layers)
    answers = sum(sorted((len(e.tokens) - e.answer_start for e in examples), reverse=True)[: len(longest)])
    logits = 3 * 4 * answers * config.vocab_size
    return int(_PROGRAM + weights + 16 * adapter + _SLACK * (kept + logits))


def base_bytes(base: Path, method: str) -> int:
    """Bytes that the weights of the base in the folder take once they are loaded for a recipe's `method`.

    Raises BaseModelError where they cannot be read.
    """
    try:
        tensors = [tensor for path in base.glob("*.safetensors") for tensor in read_header(path).values()]
    except (OSError, ValueError) as error:
        raise BaseModelError(
            f"The base {base.name} cannot be loaded ({type(error).__name__}): make or fetch that folder anew."
        ) from error
    return int(sum(_loaded(tensor, method) for tensor in tensors))


def _loaded(tensor: Tensor, method: str) -> float:
    """Bytes: NF4 takes the layers' matrices, numbers of any width become bfloat16, what is packed stays."""
    if tensor.dtype not in _FLOATS:
        return tensor.size
    matrix = len(tensor.shape) == 2 and not any(part in tensor.name for part in _STAY)
    return math.prod(tensor.shape) * (_NF4 if method == "qlora" and matrix else _BF16)


def check_base(base: Path, recipe: Recipe) -> None:
    """Raise BaseModelError when the base's weights alone have no room."""
    needed = base_bytes(base, recipe.method)
    free, where = free_memory()
    if needed > free:
        raise BaseModelError(
            f"The base {base.name} takes {needed / _GB:.1f} GB of {where} and {free / _GB:.1f} GB are free: take a "
            "smaller base" + (" or method qlora." if recipe.method != "qlora" else ".")
        )


def check(needed: int, recipe: Recipe) -> None:
    """Raise RecipeError when `needed` bytes are not there. What this process holds already counts as free."""
    free, where = free_memory()
    if needed > free:
        way = "" if recipe.gradient_checkpointing else ", or set gradient_checkpointing: true"
        raise RecipeError(
            f"Training {recipe.name} needs about {needed / _GB:.1f} GB of {where} and {free / _GB:.1f} GB are free: "
            f"take a smaller optimization.batch than {recipe.optimization.batch}{way}."
        )


def free_memory() -> tuple[int, str]:
    """Bytes for a training, and of what: the GPU's where there is one. What this process holds counts as free."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved(), "GPU memory"
    own = psutil.Process().memory_info().rss
    return available_memory() + own, "memory"
