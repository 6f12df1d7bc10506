"""What an adapter still gets right on a quantized base, for the base's manifest.

Teacher-forced on modelled OCR lines of unseen people (adapters/training/teacher_forced.py), before and after, in one
process and with the weights as they are stored. Activations stay in bfloat16 here;
`python -m benchmarks.quantization.table` measures the whole engine on held-out cards.
"""

from pathlib import Path
from typing import Any

import torch
from compressed_tensors.compressors.base import BaseCompressor
from safetensors.torch import load_file

from adapters.data.documents import DOCUMENTS
from adapters.errors import QuantizeError
from adapters.quantize.methods import METHODS
from adapters.quantize.rounding import Tensors, scheme_of
from adapters.registry.fingerprint import base_fingerprint
from adapters.registry.manifest import PromptContract, read_manifest
from adapters.registry.quantization import Quantization
from adapters.training.base_precision import BF16, load_base
from adapters.training.dataset import encode, modelled
from adapters.training.recipe_data import Data
from adapters.training.teacher_forced import judge

HOW = "teacher-forced on modelled OCR lines of unseen people, activations in bfloat16"
_BATCH = 4


def contract_of(adapter: Path, base: Path) -> PromptContract:
    """How the revision in the folder `adapter` is asked. Raises QuantizeError where it is none, or of another base."""
    try:
        manifest = read_manifest(adapter)
    except (OSError, ValueError) as error:
        raise QuantizeError(f"The adapter {adapter.name} cannot be read ({error}).") from error
    if manifest is None or manifest.prompt is None:
        raise QuantizeError(
            f"{adapter} is no revision with a manifest and a contract: make one of your folder with "
            f"'python -m adapters adopt {adapter} --base {base}' and name NAME@REVISION."
        )
    if manifest.base.fingerprint != base_fingerprint(base):
        raise QuantizeError(
            f"{adapter} was trained on another base, {manifest.base.name}: name an adapter of this one."
        )
    return manifest.prompt


def drawable(prompts: PromptContract) -> PromptContract | None:
    """The part of a contract that cards can be drawn for, by the same keys; None where there is none."""
    known = {name: [field.key for field in fields] for name, fields in DOCUMENTS.items()}
    documents = {name: asked for name, asked in prompts.documents.items() if known.get(name) == list(asked.fields)}  # type: ignore[call-overload]
    return prompts.model_copy(update={"documents": documents}) if documents else None


def score(
    folder: Path, base: Path, made: Quantization, adapter: Path, samples: int, seed: int
) -> dict[str, Any] | None:
    """Shares of fields and whole answers right on the original and on the quantized base in `folder`.

    None for an adapter of documents that no cards can be drawn for.
    """
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    prompts = drawable(contract_of(adapter, base))
    if prompts is None:
        return None
    data = Data.model_validate({"documents": list(prompts.documents), "validation": samples})
    asked = [encode(sample, prompts, tokenizer) for sample in modelled(data, "valid", samples, seed)]
    model = on_base(base, adapter)
    before = judge(model, asked, tokenizer.eos_token_id, _BATCH)
    _put(model.base_model.model, _stored(folder), made)
    after = judge(model, asked, tokenizer.eos_token_id, _BATCH)
    shares = {
        name: {figure: round(seen[figure], 4) for figure in ("fields", "exact")}
        for name, seen in (("original", before), ("quantized", after))
    }
    return {"adapter": f"{adapter.parent.name}@{adapter.name}", "samples": samples, "seed": seed, "how": HOW, **shares}


def on_base(base: Path, adapter: Path) -> Any:
    """The base in bfloat16 with the adapter on it, as PEFT loads any of its own. Raises QuantizeError."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(load_base(base, BF16), adapter, low_cpu_mem_usage=False).eval()
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise QuantizeError(f"PEFT does not load the adapter {adapter.name} ({type(error).__name__}).") from error


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
