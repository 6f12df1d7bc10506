"""The embedded base and an adapter as GGUF files, for llama.cpp."""

import json
from pathlib import Path
from typing import Any

import numpy as np

_NAMES = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
          "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}  # fmt: skip


def write_lora(adapter: Path, base: Path, out: Path) -> None:
    """A PEFT adapter of a Llama as a GGUF LoRA; llama.cpp orders queries' and keys' rows for its rotary embedding."""
    from gguf import GGUFWriter
    from safetensors.torch import load_file

    config = json.loads((adapter / "adapter_config.json").read_text())
    shape = json.loads((base / "config.json").read_text())
    heads = {"q_proj": shape["num_attention_heads"], "k_proj": shape["num_key_value_heads"]}
    writer = GGUFWriter(out, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
    for name, tensor in load_file(adapter / "adapter_model.safetensors").items():
        parts = name.split(".")
        layer, module, side = parts[parts.index("layers") + 1], parts[-3], parts[-2].removeprefix("lora_")
        values: Any = tensor.float().numpy()
        if side == "B" and module in heads:
            values = _interleaved(values, heads[module])
        writer.add_tensor(f"blk.{layer}.{_NAMES[module]}.weight.lora_{side.lower()}", np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _interleaved(rows: Any, heads: int) -> Any:
    """Each head's two halves, row by row in turn."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(rows.shape)
