"""The checks on an adapter's weights: by their header alone, and by their values."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from adapters.registry.adapter_config import AdapterConfig
from adapters.registry.base_model import BaseModel
from adapters.registry.contents import check_weights
from adapters.registry.digest import WEIGHTS_FILE
from adapters.registry.errors import Refused
from adapters.registry.limits import MAX_ADAPTER_HEADER
from adapters.registry.safetensors_header import Tensor, read_header

_NAME = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight\Z")
_NUMPY: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
_CHUNK = 1 << 20  # items


def check_tensors(folder: Path, config: AdapterConfig, base: BaseModel) -> int:
    """Check every tensor's name, type and shape against config and base; the number of modules. Raises Refused."""
    sides: dict[str, set[str]] = {}
    for tensor in _tensors(folder).values():
        match = _NAME.match(tensor.name)
        if match is None:
            raise Refused("tensor-name", f"Tensor {tensor.name!r} is no LoRA weight by PEFT's naming.")
        module, side = match["module"], match["side"]
        if module not in base.modules:
            raise Refused("module-missing", f"Module {module!r} does not exist in the base model.")
        if not _targeted(module, config):
            raise Refused("module-untargeted", f"Module {module!r} is not among target_modules.")
        if tensor.dtype not in _NUMPY:
            raise Refused("tensor-dtype", f"Tensor {tensor.name!r} is {tensor.dtype}; F32, F16 or BF16 can be served.")
        _check_shape(tensor, module, side, config, base)
        sides.setdefault(module, set()).add(side)
    for module, present in sides.items():
        if len(present) != 2:
            raise Refused("pair", f"Module {module!r} has lora_{present.pop()} without its counterpart.")
    if not sides:
        raise Refused("no-modules", f"{WEIGHTS_FILE} applies to no module of the base model.")
    return len(sides)


def check_names(folder: Path) -> None:
    """Every tensor is a LoRA weight by its name. Raises Refused, OSError."""
    for name in _tensors(folder):
        if _NAME.match(name) is None:
            raise Refused("tensor-name", f"Tensor {name!r} is no LoRA weight by PEFT's naming.")


def check_values(folder: Path) -> None:
    """Every value is finite and some lora_B is not zero. Reads all weights. Raises Refused."""
    path = folder / WEIGHTS_FILE
    effect = False
    for tensor in _tensors(folder).values():
        for values in _chunks(path, tensor):
            if not np.isfinite(values).all():
                raise Refused("finite", f"Tensor {tensor.name!r} holds a value that is not finite.")
            effect = effect or (".lora_B." in tensor.name and bool(np.any(values)))
    if not effect:
        raise Refused("zero-effect", "Every lora_B is zero: the adapter would change nothing.")


def _tensors(folder: Path) -> dict[str, Tensor]:
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        check_weights((), (file.name for file in folder.iterdir()))
        raise Refused("weights-missing", f"The adapter has no {WEIGHTS_FILE}.")
    try:
        return read_header(path, MAX_ADAPTER_HEADER)
    except ValueError as error:
        raise Refused("safetensors", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


def _targeted(module: str, config: AdapterConfig) -> bool:
    """PEFT's rule: a list holds module names or their ends, a string is a regular expression or 'all-linear'."""
    targets = config.target_modules
    if isinstance(targets, list):
        return any(module == target or module.endswith(f".{target}") for target in targets)
    # A caller's pattern is not run: a crafted one can take for ever. The tensors' names are proof enough.
    return True


def _check_shape(tensor: Tensor, module: str, side: str, config: AdapterConfig, base: BaseModel) -> None:
    shape = base.modules[module]
    rank = _rank(module, config)
    wide = (tensor.shape[-1:] if side == "A" else tensor.shape[:1]) if shape is None else (shape[side == "A"],)
    expected = (rank, *wide) if side == "A" else (*wide, rank)
    if tensor.shape != expected:
        raise Refused(
            "tensor-shape",
            f"Tensor {tensor.name!r} has shape {list(tensor.shape)}; configuration and base say {list(expected)}.",
        )


def _rank(module: str, config: AdapterConfig) -> int:
    for pattern, rank in config.rank_pattern.items():
        if module == pattern or module.endswith(f".{pattern}"):
            return rank
    return config.r


def _chunks(path: Path, tensor: Tensor) -> Iterator[np.ndarray[Any, Any]]:
    dtype, items = _NUMPY[tensor.dtype], math.prod(tensor.shape)
    for first in range(0, items, _CHUNK):
        count = min(_CHUNK, items - first)
        values = np.fromfile(path, dtype, count, offset=tensor.offset + first * dtype.itemsize)
        if tensor.dtype == "BF16":
            yield (values.astype("<u4") << 16).view("<f4")
        else:
            yield values.astype("<f4")
