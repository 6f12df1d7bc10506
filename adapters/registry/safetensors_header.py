"""Safetensors headers read by hand: names, types and shapes without torch and without loading a tensor.

Format: https://huggingface.co/docs/safetensors/index#format - eight bytes of length, a JSON header, the data.
"""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_HEADER = 100 * 1024 * 1024  # the format's own limit, bytes
_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file: `dtype` as the format names it, its bytes at `offset` from the file's start."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


def read_header(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file by name. Raises OSError, and ValueError when it is not such a file."""
    total = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ValueError(f"{path.name} is not safetensors: {total} bytes")
        (length,) = struct.unpack("<Q", start)
        if length > min(_MAX_HEADER, total - 8):
            raise ValueError(f"{path.name} is not safetensors: its header would be {length} bytes of {total}")
        try:
            header = json.loads(file.read(length))
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            return {name: _tensor(name, entry, 8 + length, total) for name, entry in entries.items()}
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path.name} is not safetensors: its header cannot be read") from error


def _tensor(name: str, entry: dict[str, Any], data: int, total: int) -> Tensor:
    dtype, shape = str(entry["dtype"]), tuple(int(dimension) for dimension in entry["shape"])
    begin, end = (int(offset) for offset in entry["data_offsets"])
    expected = math.prod(shape) * _ITEM_BYTES.get(dtype, 0)
    if not 0 <= begin <= end <= total - data or (dtype in _ITEM_BYTES and end - begin != expected):
        raise ValueError(f"tensor {name} does not lie inside its file (truncated or damaged)")
    return Tensor(name, dtype, shape, data + begin, end - begin)
