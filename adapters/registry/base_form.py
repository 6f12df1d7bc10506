"""The form of a base's weights, and what to say when an adapter learned on another one.

QLoRA's adapter makes up for NF4's rounding, and one trained with fake quantization for that of integers: on another
form of the same base both still serve, but their scores were not measured there.
"""

from pathlib import Path

from adapters.registry.manifest import FormName, Manifest
from adapters.registry.quantization import read_quantization

_BY_BITS: dict[int, FormName] = {8: "int8", 4: "int4"}
_BY_METHOD: dict[str, FormName] = {"lora": "bf16", "qlora": "nf4"}


def form_of(folder: Path) -> FormName:
    """The form of the base in `folder`, by its `quantization.json`. Raises OSError, ValueError."""
    quantization = read_quantization(folder)
    if quantization is None:
        return "bf16"
    return "nf4" if quantization.method == "nf4" else _BY_BITS.get(quantization.bits, "bf16")


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
    return (
        f"{adapter} was trained on the base in {learned}, this server has it in {served}: "
        "its scores were measured on another base; evaluate it here (docs/quantization.md)"
    )
