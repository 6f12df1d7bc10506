"""What a base takes of memory, out of its configuration and the headers of its weights: nothing is loaded."""

import json
from pathlib import Path

from adapters.registry.safetensors_header import Tensor, read_header
from server.fit import Shape

_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
_EMBEDDINGS = ("embed_tokens", "lm_head", "wte", "embed_in", "embed_out")


def read_shape(folder: Path, place: str, dtype: str = "auto", cache_dtype: str = "auto", packed: bool = True) -> Shape:
    """The base in `folder`, called `place` by its operator. `packed`: a CPU, where the logits' matrix is kept twice.

    Raises OSError, ValueError, KeyError.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config", config)
    wide = 4 if dtype in {"float32", "float"} else 2
    heads, hidden = int(text["num_attention_heads"]), int(text["hidden_size"])
    kv_heads = int(text.get("num_key_value_heads") or heads)
    head = int(text.get("head_dim") or hidden // heads)
    value = 1 if cache_dtype.startswith("fp8") else wide
    weights, eighth = _weights(folder, wide, packed)
    return Shape(
        name=Path(place).name,
        place=place,
        weights=weights,
        eighth=0 if config.get("quantization_config") else eighth,
        positions=int(text["max_position_embeddings"]),
        token=2 * int(text["num_hidden_layers"]) * kv_heads * head * value,
        vocabulary=int(text["vocab_size"]),
        wide=2 * int(text.get("intermediate_size") or 4 * hidden) + 4 * hidden + (heads + 2 * kv_heads) * head,
    )


def _weights(folder: Path, wide: int, packed: bool) -> tuple[int, int]:
    """Bytes in memory as they are, and with every linear layer in eight bits."""
    whole = linear = 0
    for tensor in _tensors(folder):
        size = _size(tensor, wide)
        embedding = any(part in tensor.name for part in _EMBEDDINGS)
        whole += size * (2 if packed and embedding else 1)
        linear += size if len(tensor.shape) == 2 and not embedding else 0
    whole = whole or sum(path.stat().st_size for path in folder.glob("*.bin"))
    return whole, whole - linear + linear // wide


def _tensors(folder: Path) -> list[Tensor]:
    return [tensor for path in sorted(folder.glob("*.safetensors")) for tensor in read_header(path).values()]


def _size(tensor: Tensor, wide: int) -> int:
    """A floating point tensor is loaded in the type that is computed in, whatever it is stored in."""
    if tensor.dtype not in _FLOATS:
        return tensor.size
    count = 1
    for length in tensor.shape:
        count *= length
    return count * wide
