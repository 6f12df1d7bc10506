"""A tiny random base model and PEFT adapters for it: they load in a second and prove plumbing, never quality."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

LAYERS = 2
HIDDEN = 64
VOCABULARY = 320
CHAT_TEMPLATE = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}<|assistant|>"


def write_base(folder: Path, *, family: str = "qwen3", seed: int = 0) -> Path:
    """A random Qwen3 or Llama of two layers with a byte-level tokenizer, as a model folder."""
    torch.manual_seed(seed)
    shape: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "intermediate_size": 128,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 1,
        # A wider spread than the usual 0.02: greedy answers then differ between adapters.
        "initializer_range": 0.2,
    }
    model = Qwen3ForCausalLM(Qwen3Config(**shape)) if family == "qwen3" else LlamaForCausalLM(LlamaConfig(**shape))
    model.to(torch.bfloat16).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    (folder / "generation_config.json").write_text(
        json.dumps({"do_sample": True, "temperature": 0.9, "bos_token_id": 0, "eos_token_id": 1})
    )
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<s>", "</s>", *alphabet])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    from tokenizers import decoders

    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def adapter_config(**changes: Any) -> dict[str, Any]:
    """What PEFT writes for r=16 on q_proj and v_proj."""
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "tiny-base",
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
        "modules_to_save": None,
        "use_dora": False,
        "use_rslora": False,
        "inference_mode": True,
    }
    return {**config, **changes}


def adapter_tensors(seed: int = 0, *, rank: int = 16, scale: float = 0.3, layers: int = LAYERS) -> dict[str, Any]:
    """Random LoRA matrices by PEFT's names for the tiny base."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(layers):
        for module, width in (("q_proj", 64), ("v_proj", 32)):
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{name}.lora_A.weight"] = torch.randn(rank, HIDDEN, generator=generator) * scale
            tensors[f"{name}.lora_B.weight"] = torch.randn(width, rank, generator=generator) * scale
    return tensors


def write_adapter(
    folder: Path,
    *,
    seed: int = 0,
    config: dict[str, Any] | None = None,
    tensors: dict[str, Any] | None = None,
    manifest: dict[str, Any] | None = None,
) -> Path:
    """A PEFT adapter folder. A `manifest` gets its weights' sha256 filled in."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config or adapter_config()))
    weights = folder / "adapter_model.safetensors"
    save_file(tensors if tensors is not None else adapter_tensors(seed), weights)
    if manifest is not None:
        filled = {"sha256": hashlib.sha256(weights.read_bytes()).hexdigest(), **manifest}
        (folder / "manifest.json").write_text(json.dumps(filled))
    return folder


def manifest_for(base: Path, name: str = "cni", **more: Any) -> dict[str, Any]:
    """A manifest that names `base`, without the weights' sha256."""
    from adapters.registry.fingerprint import base_fingerprint

    config = json.loads((base / "config.json").read_text())
    described = {
        "name": base.name,
        "fingerprint": base_fingerprint(base),
        "architecture": config["architectures"][0],
        "hidden_size": config["hidden_size"],
        "layers": config["num_hidden_layers"],
    }
    return {"format": 1, "name": name, "base": described, **more}
