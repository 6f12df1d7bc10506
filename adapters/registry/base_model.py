"""What the registry must know of the base model: its fingerprint, its names, its modules' shapes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.registry.base_form import form_of, rounding_of
from adapters.registry.base_names import Says, says
from adapters.registry.fingerprint import base_fingerprint, weights_fingerprint
from adapters.registry.manifest import FormName
from adapters.registry.quantization import read_quantization
from adapters.registry.safetensors_header import read_header

# Types in which a weight lies value by value, so that its shape is the module's.
_STORED = frozenset({"F32", "F16", "BF16", "I8"})


@dataclass(frozen=True)
class BaseModel:
    """A base at hand. `weights`: the fingerprint of all layers, None where it cannot be told.

    `modules` maps a linear layer's name to (out, in); None where it is stored packed.
    `rounding` tells bases with one fingerprint apart, an original (empty) and what was quantized from it.
    """

    names: frozenset[str]
    fingerprint: str
    architecture: str
    hidden_size: int
    layers: int
    modules: dict[str, tuple[int, int] | None]
    form: FormName = "bf16"
    rounding: str = ""
    weights: str | None = None

    @property
    def identity(self) -> str:
        """The most exact fingerprint there is."""
        return self.weights or self.fingerprint

    def is_called(self, name: str) -> bool:
        """Whether `name` (a hub id, a cache's folder, a path of any system) means this base (base_names.py)."""
        return says(name, self.names) is Says.SAME

    def adapter_bytes(self, rank: int) -> int:
        """Upper bound of an adapter's bytes in memory at `rank`, in bfloat16, on every linear layer."""
        return sum(2 * rank * (shape[0] + shape[1]) for shape in self.modules.values() if shape)


def read_base(folder: Path, *names: str) -> BaseModel:
    """Describe the base in `folder`, known by `names`. Raises OSError, ValueError."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config", config)
    quantized = read_quantization(folder)
    original = quantized.base.name if quantized else None
    known = {name for name in (*names, str(folder), config.get("_name_or_path"), original) if name}
    return BaseModel(
        names=frozenset(known),
        fingerprint=base_fingerprint(folder),
        architecture=(config.get("architectures") or ["unknown"])[0],
        hidden_size=int(text["hidden_size"]),
        layers=int(text["num_hidden_layers"]),
        modules=_modules(folder, _packed_bits(config)),
        form=form_of(folder),
        rounding=rounding_of(folder),
        weights=_weights_of(folder),
    )


def _weights_of(folder: Path) -> str | None:
    """A quantized base answers for the one that it was made from: adapters are trained on that."""
    quantization = read_quantization(folder)
    return weights_fingerprint(folder) if quantization is None else quantization.base.weights


def _modules(folder: Path, bits: int | None) -> dict[str, tuple[int, int] | None]:
    """Linear layers by name: two-dimensional weights, embeddings apart."""
    modules: dict[str, tuple[int, int] | None] = {}
    for path in sorted(folder.glob("*.safetensors")):
        for tensor in read_header(path).values():
            module, _, kind = tensor.name.rpartition(".")
            if "embed" in module or module.endswith("lm_head") or "norm" in module:
                continue
            if kind == "weight" and len(tensor.shape) == 2:
                modules[module] = (tensor.shape[0], tensor.shape[1]) if tensor.dtype in _STORED else None
            elif kind == "weight_packed" and bits and not 32 % bits:
                modules[module] = (tensor.shape[0], tensor.shape[1] * (32 // bits))
            elif kind in {"qweight", "weight_packed"}:
                modules[module] = None
    return modules


def _packed_bits(config: dict[str, Any]) -> int | None:
    """Bits of a compressed-tensors checkpoint's weights; None where there is no such thing or more than one."""
    groups = config.get("quantization_config", {}).get("config_groups", {}).values()
    bits = {(group.get("weights") or {}).get("num_bits") for group in groups}
    return bits.pop() if len(bits) == 1 else None
