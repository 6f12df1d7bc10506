"""The methods by name: their bits, groups and needs. No heavy import."""

from dataclasses import dataclass

from adapters.errors import QuantizeError


@dataclass(frozen=True)
class Method:
    """`group`: weights that share a scale, None for one scale an output channel. `title` is for people."""

    name: str
    title: str
    bits: int
    group: int | None
    calibrated: bool
    activations: str
    stored: str


PACKED = "pack-quantized"
METHODS = {
    method.name: method
    for method in (
        Method("int8", "INT8 weights and activations", 8, None, False, "int8 per token, dynamic", "int-quantized"),
        Method("int4", "INT4 weights, rounded to nearest", 4, 32, False, "bfloat16", PACKED),
        Method("gptq", "INT4 weights, GPTQ", 4, 32, True, "bfloat16", PACKED),
        Method("nf4", "NF4, double quantization, written back in bfloat16", 4, 64, False, "bfloat16", "bfloat16"),
    )
}


def method_named(name: str) -> Method:
    """Raises QuantizeError with the names that there are."""
    try:
        return METHODS[name]
    except KeyError:
        raise QuantizeError(f"There is no quantization method {name!r}: choose one of {', '.join(METHODS)}.") from None
