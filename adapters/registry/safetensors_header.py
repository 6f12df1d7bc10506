"""Safetensors headers read by hand: names, types and shapes without torch and without loading a tensor.

Format: https://huggingface.co/docs/safetensors/index#format - eight bytes of length, a JSON header, the data.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.registry.canonical import parse_json

_MAX_HEADER = 100 * 1024 * 1024  # the format's own limit, bytes
_MAX_DIMENSIONS = 8
_MAX_DIMENSION = 1 << 48
_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file: `dtype` as the format names it, its bytes at `offset` from the file's start."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


def read_header(path: Path, most: int = _MAX_HEADER) -> dict[str, Tensor]:
    """All tensors of a safetensors file by name; its header may take `most` bytes.

    Raises OSError, and ValueError when it is not such a file. Nothing else, whatever the file holds.
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ValueError(f"{path.name} is not safetensors: {total} bytes")
        (length,) = struct.unpack("<Q", start)
        if length > min(most, total - 8):
            raise ValueError(f"{path.name} is not safetensors: its header would be {length} bytes of {total}")
        header = parse_json(file.read(length), f"{path.name} is not safetensors: its header")
    if not isinstance(header, dict):
        raise ValueError(f"{path.name} is not safetensors: its header is no object")
    return {name: _tensor(name, entry, 8 + length, total) for name, entry in header.items() if name != "__metadata__"}


def _tensor(name: str, entry: Any, data: int, total: int) -> Tensor:
    shape, offsets = _numbers(entry, "shape"), _numbers(entry, "data_offsets")
    dtype = entry.get("dtype") if isinstance(entry, dict) else None
    if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
        raise ValueError(f"tensor {name[:200]!r} has no type, shape and place that could be read")
    begin, end = offsets
    expected = math.prod(shape) * _ITEM_BYTES.get(dtype, 0)
    if not begin <= end <= total - data or (dtype in _ITEM_BYTES and end - begin != expected):
        raise ValueError(f"tensor {name[:200]} does not lie inside its file (truncated or damaged)")
    return Tensor(name, dtype, shape, data + begin, end - begin)


def _numbers(entry: Any, key: str) -> tuple[int, ...] | None:
    """Few whole numbers, none negative; None where there is something else."""
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, list) or len(found) > _MAX_DIMENSIONS:
        return None
    plain = all(type(number) is int and 0 <= number < _MAX_DIMENSION for number in found)
    return tuple(found) if plain else None
