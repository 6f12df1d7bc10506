"""The form of a base's weights, and what to say when an adapter learned on another one.

QLoRA's adapter makes up for NF4's rounding, and one trained with fake quantization for that of integers: on another
form of the same base both still serve, but their scores were not measured there.
"""

import json
from pathlib import Path
from typing import Any

from adapters.registry.manifest import FormName, Manifest
from adapters.registry.quantization import read_quantization

_BY_BITS: dict[int, FormName] = {8: "int8", 4: "int4"}
_BY_METHOD: dict[str, FormName] = {"lora": "bf16", "qlora": "nf4"}


def form_of(folder: Path) -> FormName:
    """The form of the base in `folder`: by its `quantization.json`, or by config.json where others quantized it.

    "other" is a rounding that no adapter can have learned on here (fp8, say). Raises OSError, ValueError.
    """
    quantization = read_quantization(folder)
    if quantization is not None:
        return "nf4" if quantization.method == "nf4" else _BY_BITS.get(quantization.bits, "other")
    foreign = _foreign(folder)
    if not foreign:
        return "bf16"
    if foreign.get("bnb_4bit_quant_type") == "nf4":
        return "nf4"
    return _BY_BITS.get(_bits(foreign) or 0, "other")


def rounding_of(folder: Path) -> str:
    """A short name of how the weights were rounded, for names of files; empty for an original.

    Raises OSError, ValueError.
    """
    quantization = read_quantization(folder)
    if quantization is not None:
        return f"{quantization.method}-{quantization.group}" if quantization.group else quantization.method
    foreign = _foreign(folder)
    named = "".join(letter for letter in str(foreign.get("quant_method", "unknown")) if letter.isalnum())
    return f"{named}-{_bits(foreign)}" if foreign else ""


def _foreign(folder: Path) -> dict[str, Any]:
    """config.json's `quantization_config`, empty where there is none."""
    found: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("quantization_config")
    return found or {}


def _bits(foreign: dict[str, Any]) -> int | None:
    """Bits of integer weights: AWQ and GPTQ name them, compressed-tensors in each of its groups."""
    groups = [(group.get("weights") or {}) for group in foreign.get("config_groups", {}).values()]
    bits = {group.get("num_bits") for group in groups if group.get("type") == "int"} or {foreign.get("bits")}
    (only,) = bits if len(bits) == 1 else (None,)
    return only


def learned_on(manifest: Manifest) -> FormName | None:
    """The form that an adapter learned on: `trained_on`, or the recipe's method in manifests that are older than it."""
    if manifest.trained_on is not None:
        return manifest.trained_on.form
    return _BY_METHOD.get(str(manifest.recipe.get("method")))


def form_warning(adapter: str, manifest: Manifest | None, served: FormName) -> str | None:
    """One line when `adapter` learned on another form than the served base has; None when it fits or does not say."""
    learned = None if manifest is None else learned_on(manifest)
    if learned is None or learned == served:
        return None
    said = f"{adapter} was trained on the base in {learned}, this server has it in {served}: its scores were measured "
    if (learned, served) == ("bf16", "int8"):
        return f"{said}in bf16; the table in docs/explanation/quantization.md says how many right fields int8 keeps"
    return f"{said}on another base; evaluate it here (docs/explanation/quantization.md)"
