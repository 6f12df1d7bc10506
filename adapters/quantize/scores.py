"""What an adapter still gets right on a quantized base, for the base's manifest.

Teacher-forced on modelled OCR lines of unseen people (adapters/training/judge.py), before and after, in one process and
with the weights as they are stored. Activations stay in bfloat16 here; `python -m benchmarks.quant_table` measures the
whole engine on held-out cards.
"""

import json
from pathlib import Path
from typing import Any

import torch
from compressed_tensors.compressors.base import BaseCompressor
from safetensors.torch import load_file

from adapters.errors import QuantizeError
from adapters.quantize.methods import METHODS
from adapters.quantize.rounding import Tensors, scheme_of
from adapters.registry.fingerprint import base_fingerprint
from adapters.registry.manifest import PromptContract, read_manifest
from adapters.registry.quantization import Quantization
from adapters.training.dataset import encode, modelled
from adapters.training.judge import judge
from adapters.training.model import with_adapter
from adapters.training.recipe import Data, Lora

HOW = "teacher-forced on modelled OCR lines of unseen people, activations in bfloat16"
_BATCH = 4


def contract_of(adapter: Path, base: Path) -> PromptContract:
    """How the revision in the folder `adapter` is asked. Raises QuantizeError where it cannot be judged on `base`."""
    try:
        manifest = read_manifest(adapter)
    except (OSError, ValueError) as error:
        raise QuantizeError(f"The adapter {adapter.name} cannot be read ({error}).") from error
    if manifest is None or manifest.prompt is None or manifest.prompt.answer != "lines":
        raise QuantizeError(f"{adapter} is no revision that was trained here: name one with a manifest and its prompt.")
    if manifest.base.fingerprint != base_fingerprint(base):
        raise QuantizeError(
            f"{adapter} was trained on another base, {manifest.base.name}: name an adapter of this one."
        )
    lora_of(adapter)
    return manifest.prompt


def score(folder: Path, base: Path, made: Quantization, adapter: Path, samples: int, seed: int) -> dict[str, Any]:
    """Shares of fields and whole answers right on the original and on the quantized base in `folder`."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    prompts = contract_of(adapter, base)
    data = Data.model_validate({"documents": list(prompts.documents), "validation": samples})
    asked = [encode(sample, prompts, tokenizer) for sample in modelled(data, "valid", samples, seed)]
    model = with_adapter(base, lora_of(adapter), adapter)
    before = judge(model, asked, tokenizer.eos_token_id, _BATCH)
    _put(model.base_model.model, _stored(folder), made)
    after = judge(model, asked, tokenizer.eos_token_id, _BATCH)
    shares = {
        name: {figure: round(seen[figure], 4) for figure in ("fields", "exact")}
        for name, seen in (("original", before), ("quantized", after))
    }
    return {"adapter": f"{adapter.parent.name}@{adapter.name}", "samples": samples, "seed": seed, "how": HOW, **shares}


def lora_of(adapter: Path) -> Lora:
    """The shape that the adapter in the folder `adapter` has. Raises QuantizeError."""
    try:
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        return Lora(r=config["r"], alpha=config["lora_alpha"], dropout=0.0, targets=tuple(config["target_modules"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QuantizeError(f"The adapter {adapter.name} has no readable adapter_config.json.") from error


def _stored(folder: Path) -> Tensors:
    return {name: tensor for path in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(path).items()}


@torch.no_grad()
def _put(model: Any, stored: Tensors, made: Quantization) -> None:
    """What the stored tensors stand for, in place of the model's own weights; adapters stay as they are."""
    scheme = None if made.stored == "bfloat16" else scheme_of(METHODS[made.method], made.group)
    for name, layer in model.model.named_modules():
        inner = getattr(layer, "base_layer", layer)
        if not isinstance(inner, torch.nn.Linear) or ".lora_" in name or name.endswith(".base_layer"):
            continue
        prefix = f"model.{name}."
        parts = {key.removeprefix(prefix): tensor for key, tensor in stored.items() if key.startswith(prefix)}
        if scheme is not None:
            compressor = BaseCompressor.get_value_from_registry(made.stored)
            parts = compressor.decompress({**parts, "weight_scale": parts["weight_scale"].float()}, scheme)
        inner.weight.copy_(parts["weight"])
