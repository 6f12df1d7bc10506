"""In which form a base is to be served: as it is, or in eight bits where the processor computes with them."""

from dataclasses import dataclass
from pathlib import Path

from adapters.doctor.facts import EIGHT_BITS, instructions
from adapters.quantize import copies
from adapters.quantize.checks import check_base
from adapters.registry.base_form import form_of
from adapters.registry.manifest import FormName

FORMS = ("bf16", "int8", "auto")
# The linear layers that INT8 was measured on (docs/explanation/quantization.md). What else a base may have, a router
# between experts or an eye, loses more by rounding, or is not loaded in eight bits at all.
_MEASURED = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"})


@dataclass(frozen=True)
class Ready:
    """`folder` is served, `original` is what it was made from and what adapters are checked against.

    `why`: of a form that nobody asked for, in a few words; else empty.
    """

    folder: str
    original: str
    form: FormName
    why: str = ""


def ready(asked: str, original: Path, name: str, cache: Path, say: copies.Say, cpuinfo: str) -> Ready:
    """The base in `original`, called `name`, in the form `asked` of FORMS. `cpuinfo`: the text of /proc/cpuinfo.

    Raises QuantizeError: the base cannot be read, or a copy was to be made and could not be.
    """
    if copies.quantized(original):
        return Ready(str(original), str(original), form_of(original), "it is quantized already")
    if asked == "bf16":
        return Ready(str(original), str(original), "bf16")
    against = _against(original, name, cpuinfo) if asked == "auto" else ""
    if against:
        return Ready(str(original), str(original), "bf16", against)
    folder = copies.prepare(original, name, cache, say)
    why = "the processor has AVX512-VNNI" if asked == "auto" else ""
    return Ready(str(folder), str(original), copies.METHOD, why)


def _against(original: Path, name: str, cpuinfo: str) -> str:
    """Why eight bits are not the form to choose here; empty where they are. Raises QuantizeError."""
    if EIGHT_BITS not in instructions(cpuinfo):
        return "the processor has no AVX512-VNNI"
    modules = check_base(original, name, None)[0].modules
    other = next((module for module in sorted(modules) if module.rpartition(".")[2] not in _MEASURED), None)
    return f"int8 was not measured on layers like its {other}" if other else ""
