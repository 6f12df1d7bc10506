"""From a base's folder to the quantized one: file by file, complete or not there at all."""

import errno
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from adapters.embedded import scratch_beside
from adapters.errors import QuantizeError
from adapters.quantize.rest import INDEX, rest_of
from adapters.quantize.rounding import Tensors
from adapters.registry.atomic import Step, no_step, publish_folder

# What a module's weight becomes: tensors by their local names, and what they stand for.
Replace = Callable[[str, torch.Tensor], tuple[Tensors, torch.Tensor]]


@dataclass
class Written:
    """`files`: bytes of each weights file; `errors`: |W - Q| / |W| of each module."""

    files: dict[str, int] = field(default_factory=dict)
    errors: list[float] = field(default_factory=list)


@contextmanager
def making(out: Path, needed: int, step: Step = no_step) -> Iterator[Path]:
    """A scratch folder that becomes `out` at the end; on any failure nothing of it is left.

    Raises QuantizeError: `out` is there already, cannot be written, or its disk has no room for `needed` bytes.
    """
    if out.exists():
        raise QuantizeError(f"{out} is there already: name another folder with --out, or remove it.")
    try:
        with scratch_beside(out) as scratch:
            _check_room(scratch, needed)
            inner = scratch / "folder"
            inner.mkdir()
            yield inner
            for path in inner.iterdir():
                path.chmod(0o644)
            inner.chmod(0o755)
            publish_folder(inner, out, step)
    except (OSError, SafetensorError) as error:
        raise QuantizeError(f"{out} cannot be written ({_reason(error)}): nothing of it was kept.") from error


def _reason(error: Exception) -> str:
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    return "the disk is full" if full else (getattr(error, "strerror", None) or type(error).__name__)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise QuantizeError(
            f"The quantized base needs {needed / 2**20:.0f} MiB, the disk of {folder.parent} has {free / 2**20:.0f}: "
            "make room or choose another folder."
        )


def write_weights(
    base: Path, out: Path, modules: frozenset[str], replace: Replace, done: Callable[[], None]
) -> Written:
    """Every weights file of `base` again in `out`, the weights of `modules` replaced; `done` after each of them."""
    written = Written()
    places: dict[str, str] = {}
    for path in sorted(base.glob("*.safetensors")):
        tensors: Tensors = {}
        for name, tensor in load_file(path).items():
            module = name.removesuffix(".weight")
            if module not in modules or module == name:
                tensors[name] = tensor
                continue
            local, stands_for = replace(module, tensor)
            tensors |= {f"{module}.{key}": value.contiguous() for key, value in local.items()}
            written.errors.append(_error(tensor.float(), stands_for.float()))
            done()
        save_file(tensors, out / path.name, metadata={"format": "pt"})
        written.files[path.name] = (out / path.name).stat().st_size
        places |= dict.fromkeys(tensors, path.name)
    if len(written.files) > 1:
        total = sum(written.files.values())
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        (out / INDEX).write_text(json.dumps(index, indent=1) + "\n")
    return written


def _error(weight: torch.Tensor, rounded: torch.Tensor) -> float:
    norm = float(weight.norm())
    return float((weight - rounded).norm()) / norm if norm else 0.0


def write_rest(base: Path, out: Path, name: str, quantization: dict[str, Any] | None) -> None:
    """Tokenizer and settings as they are; config.json gets the base's `name` and `quantization`, as vLLM reads it."""
    for path in rest_of(base):
        shutil.copyfile(path, out / path.name)
    config = {"_name_or_path": name} | json.loads((base / "config.json").read_text(encoding="utf-8"))
    if quantization is not None:
        config["quantization_config"] = quantization
    (out / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
