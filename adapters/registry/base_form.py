"""The form of a base's weights, and what to say when an adapter learned on another one.

QLoRA's adapter makes up for NF4's rounding, and one trained with fake quantization for that of integers: on another
form of the same base both still serve, but their scores were not measured there.
"""

from pathlib import Path

from adapters.registry.manifest import FormName, Manifest
from adapters.registry.quantization import read_quantization

_BY_BITS: dict[int, FormName] = {8: "int8", 4: "int4"}


def form_of(folder: Path) -> FormName:
    """The form of the base in `folder`, by its `quantization.json`. Raises OSError, ValueError."""
    quantization = read_quantization(folder)
    if quantization is None:
        return "bf16"
    return "nf4" if quantization.method == "nf4" else _BY_BITS.get(quantization.bits, "bf16")


def form_warning(adapter: str, manifest: Manifest | None, served: FormName) -> str | None:
    """One line when `adapter` learned on another form than the served base has; None when it fits or does not say."""
    if manifest is None or manifest.trained_on is None or manifest.trained_on.form == served:
        return None
    return (
        f"{adapter} was trained on the base in {manifest.trained_on.form}, this server has it in {served}: "
        "its scores were measured on another base; evaluate it here (docs/quantization.md)"
    )
