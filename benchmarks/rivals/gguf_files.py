"""A base and an adapter as GGUF files, for llama.cpp: the weights as the safetensors have them, in bfloat16."""

import json
from pathlib import Path
from typing import Any

import numpy as np

_MODULES = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
            "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}  # fmt: skip
_NORMS = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "q_norm": "attn_q_norm",
          "k_norm": "attn_k_norm"}  # fmt: skip
_WHOLE = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}


def write_base(base: Path, out: Path) -> None:
    """A Llama or a Qwen3 with a tied head. Texts of its tokens are given along, as a server wants them."""
    from gguf import GGMLQuantizationType, GGUFWriter, quants
    from safetensors.torch import load_file

    shape = json.loads((base / "config.json").read_text())
    writer = GGUFWriter(out, shape["model_type"])
    _add_shape(writer, shape)
    _add_tokens(writer, json.loads((base / "tokenizer.json").read_text()), shape["vocab_size"])
    heads = _rotated(shape)
    for name, tensor in load_file(base / "model.safetensors").items():
        if name == "lm_head.weight":  # the embedding once more
            continue
        values: Any = tensor.float().numpy()
        parts = name.split(".")
        if parts[-2] in heads:
            values = _interleaved(values, heads[parts[-2]])
        called = _WHOLE.get(name) or f"blk.{parts[2]}.{({**_MODULES, **_NORMS})[parts[-2]]}.weight"
        if values.ndim == 1:
            writer.add_tensor(called, values)
        else:
            kind = GGMLQuantizationType.BF16
            writer.add_tensor(called, quants.quantize(np.ascontiguousarray(values), kind), raw_dtype=kind)
    _write(writer)


def write_lora(adapter: Path, base: Path, out: Path) -> None:
    """A PEFT adapter as a GGUF LoRA."""
    from gguf import GGUFWriter
    from safetensors.torch import load_file

    config = json.loads((adapter / "adapter_config.json").read_text())
    shape = json.loads((base / "config.json").read_text())
    heads = _rotated(shape)
    writer = GGUFWriter(out, shape["model_type"])
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
    for name, tensor in load_file(adapter / "adapter_model.safetensors").items():
        parts = name.split(".")
        layer, module, side = parts[parts.index("layers") + 1], parts[-3], parts[-2].removeprefix("lora_")
        values: Any = tensor.float().numpy()
        if side == "B" and module in heads:
            values = _interleaved(values, heads[module])
        writer.add_tensor(f"blk.{layer}.{_MODULES[module]}.weight.lora_{side.lower()}", np.ascontiguousarray(values))
    _write(writer)


def _add_shape(writer: Any, shape: dict[str, Any]) -> None:
    writer.add_context_length(shape["max_position_embeddings"])
    writer.add_embedding_length(shape["hidden_size"])
    writer.add_feed_forward_length(shape["intermediate_size"])
    writer.add_block_count(shape["num_hidden_layers"])
    writer.add_head_count(shape["num_attention_heads"])
    writer.add_head_count_kv(shape["num_key_value_heads"])
    writer.add_key_length(shape["head_dim"])
    writer.add_value_length(shape["head_dim"])
    writer.add_rope_dimension_count(shape["head_dim"])
    writer.add_rope_freq_base(shape["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(shape["rms_norm_eps"])
    writer.add_vocab_size(shape["vocab_size"])


def _add_tokens(writer: Any, tokenizer: dict[str, Any], count: int) -> None:
    """Prompts are sent as ids, so cuts do not matter: a tokenizer without merges gets one that never applies."""
    texts = [f"[unused{number}]" for number in range(count)]
    for text, number in tokenizer["model"]["vocab"].items():
        texts[number] = text
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"].get("merges", [])] or ["w 0"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(texts)
    writer.add_token_types([1] * count)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def _rotated(shape: dict[str, Any]) -> dict[str, int]:
    """The modules whose rows llama.cpp orders anew for its rotary embedding, with their heads: a Llama's alone."""
    if shape["model_type"] != "llama":
        return {}
    return {"q_proj": shape["num_attention_heads"], "k_proj": shape["num_key_value_heads"]}


def _interleaved(rows: Any, heads: int) -> Any:
    """Each head's two halves, row by row in turn."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(rows.shape)


def _write(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
