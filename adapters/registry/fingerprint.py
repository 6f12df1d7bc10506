"""The fingerprints of a base model (docs/decisions/0002): they tell two bases of one shape apart.

The first looks at the configuration and the embedding alone, and survives a quantization that leaves the embedding. The
second looks into every layer: a base with an adapter merged into it keeps its embedding and is another base.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from adapters.registry.canonical import canonical_json
from adapters.registry.safetensors_header import Tensor, read_header

EMBEDDING = "model.embed_tokens.weight"
# Keys of config.json that do not change the model's arithmetic.
IGNORED_KEYS = frozenset(
    {
        "_name_or_path",
        "transformers_version",
        "torch_dtype",
        "dtype",
        "architectures",
        "use_cache",
        "quantization_config",
    }
)
# Of each tensor, at its beginning, middle and end: 4 KiB of bfloat16 in the second fingerprint.
_LAYER_ITEMS = 2048
# What is computed from the configuration, not learned.
_COMPUTED = ("rotary_emb.inv_freq", "attn.masked_bias", "attn.bias", "position_ids")
# SmolLM2-135M-Instruct as `adapters.embedded` converts it: the first fingerprint and the second.
_EMBEDDED = "ef4ad1523e1cd70fa6a6c450b7f1a177decf0875ed7a753ab374d0716b474d7c"
_EMBEDDED_WEIGHTS = "0e3b230339776f5321f7e86ae10678e0ed122080cfce0880b4c5183650f5ca5c"
# Bases whose adapters were registered when there was the first fingerprint only: first to second.
KNOWN_BASES = {_EMBEDDED: _EMBEDDED_WEIGHTS}
_SAMPLE = 64 * 1024  # bytes of bfloat16 from each end
_ITEMS = _SAMPLE // 2
_DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}


def base_fingerprint(model_folder: Path) -> str:
    """sha256 (64 hex digits) of a base's arithmetic configuration and of both ends of its embedding.

    Raises OSError when a file is missing, ValueError when the folder holds no readable embedding.
    """
    config = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(canonical_json({k: v for k, v in config.items() if k not in IGNORED_KEYS}))
    for part in _embedding_ends(model_folder):
        digest.update(part)
    return digest.hexdigest()


def weights_fingerprint(model_folder: Path) -> str | None:
    """sha256 (64 hex digits) of a base's configuration and of samples of all of its tensors.

    None where the weights are not stored as floating point numbers of 16 or 32 bits: a rounded base cannot tell what it
    was made from. Raises OSError, ValueError.
    """
    config = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))
    if config.get("quantization_config"):
        return None
    plain = {key: value for key, value in config.items() if key not in IGNORED_KEYS}
    digest = hashlib.sha256(canonical_json({"format": 2, "config": plain}))
    tied = bool(config.get("tie_word_embeddings"))
    for name, (path, tensor) in sorted(_tensors(model_folder).items()):
        if name.endswith(_COMPUTED) or (tied and name == "lm_head.weight"):
            continue
        if tensor.dtype not in _DTYPES:
            return None
        digest.update(canonical_json([name, list(tensor.shape)]))
        count = tensor.size // _DTYPES[tensor.dtype].itemsize
        items = min(_LAYER_ITEMS, count)
        for first in (0, (count - items) // 2, count - items):
            digest.update(_bfloat16(path, tensor, first, items))
    return digest.hexdigest()


def _tensors(folder: Path) -> dict[str, tuple[Path, Tensor]]:
    """Each tensor and its file: the single one, or the shards that the index names."""
    index = folder / "model.safetensors.index.json"
    files = {"model.safetensors"}
    if index.exists():
        files = {Path(shard).name for shard in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
    return {name: (folder / file, tensor) for file in files for name, tensor in read_header(folder / file).items()}


def _embedding_ends(folder: Path) -> tuple[bytes, bytes]:
    path = _embedding_file(folder)
    tensor = read_header(path).get(EMBEDDING)
    if tensor is None:
        raise ValueError(f"{path.name} holds no tensor {EMBEDDING}")
    if tensor.dtype not in _DTYPES:
        raise ValueError(f"tensor {EMBEDDING} is {tensor.dtype}, not a floating point type of 16 or 32 bits")
    count = tensor.size // _DTYPES[tensor.dtype].itemsize
    items = min(_ITEMS, count)
    return _bfloat16(path, tensor, 0, items), _bfloat16(path, tensor, count - items, items)


def _embedding_file(folder: Path) -> Path:
    """The weights file with the embedding: the single one, or the shard that the index names."""
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return folder / "model.safetensors"
    shard = json.loads(index.read_text(encoding="utf-8"))["weight_map"].get(EMBEDDING)
    if shard is None:
        raise ValueError(f"{index.name} names no file for {EMBEDDING}")
    return folder / Path(shard).name


def _bfloat16(path: Path, tensor: Tensor, first: int, items: int) -> bytes:
    dtype = _DTYPES[tensor.dtype]
    values: np.ndarray[Any, Any] = np.fromfile(path, dtype, items, offset=tensor.offset + first * dtype.itemsize)
    if tensor.dtype == "BF16":
        return values.tobytes()
    bits = values.astype("<f4").view("<u4")
    # Round to nearest even, as torch does: a base saved as float32 and as bfloat16 is one base.
    rounded: np.ndarray[Any, Any] = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return rounded.astype("<u2").tobytes()
