"""A W8A8 base with LoRA on a CPU without AMX: vLLM 0.32.0 does not start. `no-lora` as argument: it does.

Writes a random Llama of one layer in compressed-tensors' int-quantized format into a temporary folder.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

WIDTH = 64
INT8 = {"num_bits": 8, "type": "int", "symmetric": True}
QUANTIZATION = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "ignore": ["lm_head"],
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {**INT8, "strategy": "channel", "dynamic": False},
            "input_activations": {**INT8, "strategy": "token", "dynamic": True},
        }
    },
}


def write(folder: Path) -> None:
    """The checkpoint: each linear layer's weight in eight bits beside a scale an output channel."""
    config = LlamaConfig(
        vocab_size=256, hidden_size=WIDTH, intermediate_size=128, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, head_dim=32, max_position_embeddings=256,
    )  # fmt: skip
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    for name in [name for name in tensors if name.endswith("_proj.weight")]:
        weight = tensors[name].float()
        scale = weight.abs().amax(dim=1, keepdim=True) / 127
        tensors[name] = (weight / scale).round().to(torch.int8)
        tensors[f"{name}_scale"] = scale
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "quantization_config": QUANTIZATION}))


def main() -> None:
    """Start vLLM and answer eight tokens."""
    os.environ.update({"VLLM_PLUGINS": "", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"})
    from vllm import LLM, SamplingParams

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        llm = LLM(folder, enable_lora="no-lora" not in sys.argv, max_model_len=128, skip_tokenizer_init=True)
        sampling = SamplingParams(max_tokens=8, ignore_eos=True, detokenize=False)
        print(llm.generate([{"prompt_token_ids": [1, 2, 3]}], sampling)[0].outputs[0].token_ids)


if __name__ == "__main__":
    main()
