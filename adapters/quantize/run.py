"""One quantization from the base's folder to the finished one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from adapters.doctor.facts import gpus
from adapters.errors import QuantizeError, ran_out_of_memory
from adapters.quantize import gptq_samples
from adapters.quantize.checks import check_base, check_kernel, check_memory, estimated_bytes
from adapters.quantize.folder import Replace, Written, making, write_rest, write_weights
from adapters.quantize.methods import Method
from adapters.quantize.nf4 import through_nf4
from adapters.quantize.rounding import Rounded, round_to_nearest, scheme_of
from adapters.registry.atomic import Step, no_step
from adapters.registry.base_model import BaseModel
from adapters.registry.manifest import Base
from adapters.registry.quantization import QUANTIZATION_FILE, Calibration, Quantization

_PACKAGES = ("torch", "transformers", "compressed-tensors", "safetensors")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to do. `name`: what the base is called in public; `samples`, `seed`: of the calibration.

    `adapter`: folder of the revision that a calibrated method is to see the activations of.
    """

    base: Path
    name: str
    method: Method
    group: int | None
    samples: int
    seed: int
    adapter: Path | None = None


def quantize(plan: Plan, out: Path, show: Progress, step: Step = no_step) -> Quantization:
    """Write the quantized base to `out` with its manifest. `show(what, done, of)` as the work goes on.

    Raises QuantizeError; whatever happens, `out` is complete or not there.
    """
    began = time.monotonic()
    method = plan.method
    base, shapes = check_base(plan.base, plan.name, plan.group)
    check_kernel(plan.name, shapes, method, gpu=bool(gpus()))
    check_memory(plan.base, method, plan.name)
    with making(out, estimated_bytes(plan.base, shapes, method, plan.group), step) as folder:
        total, done = len(shapes), iter(range(1, len(shapes) + 1))
        with _one_sentence(plan):
            replace, seen = _replacement(plan, show)
            step("weights")
            written = write_weights(
                plan.base, folder, frozenset(shapes), replace, lambda: show("writing", next(done), total)
            )
        step("rest")
        write_rest(plan.base, folder, plan.name, None if method.stored == "bfloat16" else _config(plan))
        manifest = _manifest(plan, base, written, seen, time.monotonic() - began)
        step("manifest")
        (folder / QUANTIZATION_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


@contextmanager
def _one_sentence(plan: Plan) -> Iterator[None]:
    """What libraries raise over a base that they cannot take, memory that runs out, or a package that is missing."""
    try:
        yield
    except ImportError as error:
        raise QuantizeError(
            f"{plan.method.name} needs {error.name or 'a package'}: install the extra `adapters`; nothing was kept."
        ) from error
    except (MemoryError, RuntimeError, ValueError) as error:
        less = ", or use int4, which needs the least of the base" if plan.method.calibrated else ""
        way = f"free memory{less}" if ran_out_of_memory(error) else "its weights are none that this method takes"
        raise QuantizeError(
            f"{plan.method.name} of {plan.name} failed ({type(error).__name__}): {way}; nothing was kept."
        ) from error


def _replacement(plan: Plan, show: Progress) -> tuple[Replace, Calibration | None]:
    """How a weight is replaced; a calibrated method does its whole work here."""
    method = plan.method
    if method.stored == "bfloat16":
        return _nf4, None
    scheme = scheme_of(method, plan.group)
    if not method.calibrated:

        def rounded(_: str, weight: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
            return _parts(round_to_nearest(weight, scheme, method.stored))

        return rounded, None
    from transformers import AutoTokenizer

    from adapters.quantize.gptq_model import quantize_layers
    from adapters.quantize.scores import contract_of, drawable

    try:
        tokenizer = AutoTokenizer.from_pretrained(plan.base)
    except (OSError, ValueError) as error:
        raise QuantizeError(
            f"The base {plan.name} has no readable tokenizer, which gptq needs: fetch that folder anew or use int4."
        ) from error
    prompts = drawable(contract_of(plan.adapter, plan.base)) if plan.adapter else None
    tokens = gptq_samples.sequences(tokenizer, plan.samples, plan.seed, prompts)
    results = quantize_layers(
        plan.base,
        tokens,
        scheme,
        method.stored,
        lambda done, of: show("calibrating layers", done, of),
        plan.adapter,
    )
    seen = Calibration(
        samples=len(tokens),
        tokens=sum(map(len, tokens)),
        seed=plan.seed,
        source=gptq_samples.SOURCE,
        adapter=f"{plan.adapter.parent.name}@{plan.adapter.name}" if plan.adapter else None,
    )

    def prepared(module: str, weight: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        return _parts(results[module] if module in results else round_to_nearest(weight, scheme, method.stored))

    return prepared, seen


def _parts(rounded: Rounded) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    return rounded.stored, rounded.weight


def _nf4(_: str, weight: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    result = through_nf4(weight)
    return {"weight": result}, result


def _config(plan: Plan) -> dict[str, Any]:
    """`quantization_config` as the compressed-tensors library writes it. Embedding and head stay in bfloat16."""
    from compressed_tensors.quantization import QuantizationConfig, QuantizationStatus

    config: dict[str, Any] = QuantizationConfig(
        config_groups={"group_0": scheme_of(plan.method, plan.group)},
        format=plan.method.stored,
        quantization_status=QuantizationStatus.COMPRESSED,
        ignore=["lm_head"],
    ).model_dump(mode="json", exclude_none=True)
    return config


def _manifest(plan: Plan, base: BaseModel, written: Written, seen: Calibration | None, seconds: float) -> Quantization:
    method = plan.method
    packages = (*_PACKAGES, "bitsandbytes") if method.name == "nf4" else _PACKAGES
    return Quantization(
        method=method.name,
        bits=method.bits,
        group=plan.group,
        activations=method.activations,
        embedding="bfloat16",
        stored=method.stored,
        base=Base(
            name=plan.name,
            fingerprint=base.fingerprint,
            weights=base.weights,
            architecture=base.architecture,
            hidden_size=base.hidden_size,
            layers=base.layers,
        ),
        calibration=seen,
        modules=len(written.errors),
        error=round(sum(written.errors) / len(written.errors), 6),
        files=written.files,
        seconds=round(seconds, 1),
        versions={package: version(package) for package in packages},
    )
