"""Bases and adapters for the benchmarks: random weights of a real shape, or the embedded base's own.

Random weights measure speed honestly and answer nonsense: no output of these models is ever shown as an answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RANK = 16
EMBEDDED = "embedded"
"""The embedded base's own weights instead of random ones."""

SHAPES: dict[str, dict[str, Any]] = {
    "smollm2-135m": {
        "family": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
        "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64,
    },
    "qwen3-0.6b": {
        "family": "qwen3", "vocab_size": 151936, "hidden_size": 1024, "intermediate_size": 3072,
        "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
    },
    "tiny": {
        "family": "llama", "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Models:
    """Where the random base and its adapters lie."""

    base: Path
    adapters: tuple[Path, ...]


def write_models(folder: Path, shape: str, adapters: int, seed: int) -> Models:
    """A bfloat16 base of `shape` (or EMBEDDED), random rank-16 adapters on q_proj and v_proj as PEFT writes them."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model: Any
    if shape == EMBEDDED:
        from adapters import bases
        from adapters.settings import Settings

        base = bases.resolve(EMBEDDED, Settings())
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    else:
        base = folder / "base"
        model = _random(shape).to(torch.bfloat16)
        model.save_pretrained(base)
        _write_tokenizer(base, SHAPES[shape]["vocab_size"])
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    adapted: Any = get_peft_model(model, config)
    for number in range(adapters):
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(parameter, std=0.02)
        _write_adapter(adapted, folder / f"adapter-{number}", base.name)
    return Models(base, tuple(folder / f"adapter-{number}" for number in range(adapters)))


def _write_adapter(adapted: Any, folder: Path, base: str) -> None:
    """As PEFT writes it, with the base's name in it, which a registry asks for."""
    adapted.save_pretrained(folder)
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "base_model_name_or_path": base}))


def _random(shape: str) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    options = {**SHAPES[shape], "max_position_embeddings": 4096, "tie_word_embeddings": True}
    qwen = options.pop("family") == "qwen3"
    return Qwen3ForCausalLM(Qwen3Config(**options)) if qwen else LlamaForCausalLM(LlamaConfig(**options))


def _write_tokenizer(folder: Path, words: int) -> None:
    """One word a token: a server wants a tokenizer, the benchmarks send token ids."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({f"w{number}": number for number in range(words)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="w0").save_pretrained(folder)


def in_eight_bits(base: Path, folder: Path) -> Path:
    """A copy of the base in INT8, of the same name, in a folder of its own below `folder`."""
    out = folder / "int8" / base.name
    out.parent.mkdir()
    command = [sys.executable, "-m", "adapters", "quantize", "--base", str(base), "--method", "int8"]
    subprocess.run([*command, "--out", str(out)], check=True, stderr=subprocess.DEVNULL)
    return out
