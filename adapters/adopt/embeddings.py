"""Embeddings that PEFT saved beside a plain LoRA (`save_embedding_layers`): left out where they are the base's own.

PEFT writes them whenever the vocabulary's size or a hub's answer makes it unsure. Trained ones cannot be served: vLLM
would answer with the base's.
"""

import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from adapters.registry.digest import WEIGHTS_FILE
from adapters.registry.errors import Refused
from adapters.registry.safetensors_header import Tensor, read_header

_SAVED = re.compile(
    r"^(?:base_model\.model\.)?(?P<module>.*(?:embed_tokens|lm_head))(?:\.base_layer|\.modules_to_save(?:\.default)?)?\.weight$"
)
_TYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
_CHUNK = 1 << 22  # items


def leave_out(folder: Path, base: Path) -> tuple[str, ...]:
    """Rewrite the weights in `folder` without embeddings that equal those of `base`; their names. Raises Refused."""
    path = folder / WEIGHTS_FILE
    tensors = _read(path)
    saved = {name: match["module"] for name in tensors if (match := _SAVED.match(name))}
    if not saved:
        return ()
    for name, module in saved.items():
        if not _equal(path, tensors[name], *_of_base(base, module)):
            raise Refused(
                "embeddings",
                f"{WEIGHTS_FILE} holds {module}, and it is not the base's own: an adapter with a trained embedding "
                "cannot be served. Train with LoRA on linear layers alone, or merge it into a base of its own.",
            )
    _rewrite(path, [tensor for name, tensor in tensors.items() if name not in saved])
    return tuple(sorted(set(saved.values())))


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return read_header(path)
    except FileNotFoundError:
        return {}  # the registry's checks say so
    except ValueError as error:
        raise Refused("safetensors", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


def _of_base(base: Path, module: str) -> tuple[Path, Tensor | None]:
    """The base's tensor; a head that shares the embedding's weights is stored once."""
    wanted = [f"{module}.weight", "model.embed_tokens.weight"]
    found: dict[str, tuple[Path, Tensor]] = {}
    for path in sorted(base.glob("*.safetensors")):
        header = read_header(path)
        found |= {name: (path, header[name]) for name in wanted if name in header}
    return next((found[name] for name in wanted if name in found), (base, None))


def _equal(ours: Path, one: Tensor, theirs: Path, other: Tensor | None) -> bool:
    """To bfloat16's last bit: a base in another type of floating point is the same base."""
    if other is None or one.shape != other.shape or one.dtype not in _TYPES or other.dtype not in _TYPES:
        return False
    items = math.prod(one.shape)
    return all(
        np.array_equal(_bits(ours, one, first, items), _bits(theirs, other, first, items))
        for first in range(0, items, _CHUNK)
    )


def _bits(path: Path, tensor: Tensor, first: int, items: int) -> np.ndarray[Any, Any]:
    dtype = _TYPES[tensor.dtype]
    values = np.fromfile(path, dtype, min(_CHUNK, items - first), offset=tensor.offset + first * dtype.itemsize)
    if tensor.dtype == "BF16":
        return values
    bits = values.astype("<f4").view("<u4")
    rounded: np.ndarray[Any, Any] = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    return rounded


def _rewrite(path: Path, kept: list[Tensor]) -> None:
    """The same tensors byte by byte, in a file of their own."""
    entries, offset = {}, 0
    for tensor in kept:
        place = [offset, offset + tensor.size]
        entries[tensor.name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": place}
        offset += tensor.size
    header = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    header += b" " * (-len(header) % 8)
    scratch = path.with_suffix(".rewritten")
    with path.open("rb") as source, scratch.open("wb") as target:
        target.write(struct.pack("<Q", len(header)) + header)
        for tensor in kept:
            source.seek(tensor.offset)
            target.write(source.read(tensor.size))
    scratch.rename(path)
