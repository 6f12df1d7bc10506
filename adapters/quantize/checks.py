"""What must hold before a base is quantized: each failure is one sentence, found before anything long begins."""

import json
from pathlib import Path

from adapters.cgroup import available_memory
from adapters.errors import QuantizeError
from adapters.quantize.methods import PACKED, Method
from adapters.registry.base_model import BaseModel, read_base
from adapters.registry.quantization import QUANTIZATION_FILE

Shapes = dict[str, tuple[int, int]]
_KERNEL = 32  # vllm/model_executor/kernels/linear/mixed_precision/cpu.py, 0.32.0
_CALIBRATION_SPARE = 1 << 30  # hidden states, second moments


def check_base(folder: Path, name: str, group: int | None) -> tuple[BaseModel, Shapes]:
    """The base and its linear modules' (out, in). Raises QuantizeError when it cannot be quantized in these groups."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        base = read_base(folder, name)
    except (OSError, ValueError, KeyError) as error:
        raise QuantizeError(f"The base {name} cannot be read ({error}): it must be a folder of safetensors.") from error
    if "quantization_config" in config or (folder / QUANTIZATION_FILE).exists():
        raise QuantizeError(f"The base {name} is quantized already: start from the original.")
    shapes = {module: shape for module, shape in base.modules.items() if shape is not None}
    if not shapes:
        raise QuantizeError(f"The base {name} has no linear layers that could be quantized.")
    for module, (_, inputs) in shapes.items():
        if group and inputs % group:
            raise QuantizeError(
                f"The base {name} does not fit: {inputs} inputs of {module} are no whole number of groups of {group}; "
                "choose another --group."
            )
    return base, shapes


def check_kernel(name: str, shapes: Shapes, method: Method, gpu: bool) -> None:
    """Raises QuantizeError for packed weights that vLLM could not multiply with on a CPU, where no `gpu` serves them.

    On a GPU its kernels take other sizes too (Marlin fills them up).
    """
    if gpu or method.stored != PACKED:
        return
    for module, shape in shapes.items():
        if any(side % _KERNEL for side in shape):
            raise QuantizeError(
                f"The base {name} does not fit: {module} is {shape[0]} x {shape[1]}, and vLLM's INT4 on a CPU wants "
                f"multiples of {_KERNEL}; use int8."
            )


def estimated_bytes(folder: Path, shapes: Shapes, method: Method, group: int | None) -> int:
    """Bytes of the result: the modules in fewer bits with their scales, everything else as it is."""
    before = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if method.stored == "bfloat16":
        return before
    weights = sum(out * inputs for out, inputs in shapes.values())
    scales = sum(out * (2 * inputs // group if group else 4) for out, inputs in shapes.values())
    return before - 2 * weights + weights * method.bits // 8 + scales


def check_memory(folder: Path, method: Method, name: str) -> None:
    """Raises QuantizeError when the base and the work on it do not fit into the memory that is free now."""
    sizes = [path.stat().st_size for path in folder.glob("*.safetensors")]
    needed = 2 * sum(sizes) + _CALIBRATION_SPARE if method.calibrated else 2 * max(sizes, default=0)
    free = available_memory()
    if free < needed:
        less = ", or use int4, which reads one file after the other" if method.calibrated else ""
        raise QuantizeError(
            f"{method.name} of {name} needs {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} are free: "
            f"free some{less}."
        )
