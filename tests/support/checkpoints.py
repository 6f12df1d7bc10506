"""A folder exactly like what transformers' Trainer and PEFT 0.16 leave: `checkpoint-938`, pickles and all."""

import json
import pickle
from pathlib import Path
from typing import Any

from tests.support.tiny_models import write_adapter

CACHED = "/root/.cache/huggingface/hub/models--Qwen--Qwen3-0.6B/snapshots/c1899de289a04d12100db370d81485cdf75e47ca"
LEFT_BY_TRAINER = (
    "optimizer.pt",
    "rng_state.pth",
    "scheduler.pt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "trainer_state.json",
    "training_args.bin",
)


def peft_config(**changes: Any) -> dict[str, Any]:
    """adapter_config.json of PEFT 0.16 for r=16, alpha=32 on q_proj and v_proj."""
    return {
        "alpha_pattern": {},
        "auto_mapping": None,
        "base_model_name_or_path": CACHED,
        "bias": "none",
        "corda_config": None,
        "eva_config": None,
        "exclude_modules": None,
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "layer_replication": None,
        "layers_pattern": None,
        "layers_to_transform": None,
        "loftq_config": {},
        "lora_alpha": 32,
        "lora_bias": False,
        "lora_dropout": 0.05,
        "megatron_config": None,
        "megatron_core": "megatron.core",
        "modules_to_save": None,
        "peft_type": "LORA",
        "qalora_group_size": 16,
        "r": 16,
        "rank_pattern": {},
        "revision": None,
        "target_modules": ["q_proj", "v_proj"],
        "task_type": "CAUSAL_LM",
        "trainable_token_indices": None,
        "use_dora": False,
        "use_qalora": False,
        "use_rslora": False,
        **changes,
    }


class _Explodes:
    """A pickle that tells on whoever opens it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/a-pickle-was-opened"),))


def write_checkpoint(folder: Path, *, seed: int = 0, tensors: dict[str, Any] | None = None, **config: Any) -> Path:
    """The checkpoint; `config`: changes of adapter_config.json."""
    write_adapter(folder, seed=seed, config=peft_config(**config), tensors=tensors)
    for name in LEFT_BY_TRAINER:
        content = json.dumps({"global_step": 938}).encode() if name.endswith(".json") else pickle.dumps(_Explodes())
        (folder / name).write_bytes(content)
    (folder / "README.md").write_text("---\nlibrary_name: peft\n---\n")
    return folder
