"""A real vLLM engine with eight LoRA slots on a tiny Qwen3 of the real architecture; one at a time, so of a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from tests.support.engines import small_engine
from tests.support.tiny_models import VOCABULARY, write_base

QUERY_VALUE = ["q_proj", "v_proj"]
EVERY_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTERS = 8
TOKENS = 12


@dataclass(frozen=True)
class Family:
    """A base model's folder and its adapters' folders; the last adapter touches every linear layer, with rank 4."""

    base: Path
    adapters: tuple[Path, ...]
    name: str


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return make_family(tmp_path_factory.mktemp("cpu-lora"), "qwen3")


def make_family(root: Path, name: str) -> Family:
    """A base of `qwen3` or `llama` (what the embedded base is) with its adapters."""
    base = write_base(root / "base", family=name)
    return Family(base, tuple(_write_adapter(base, root / f"adapter-{seed}", seed) for seed in range(ADAPTERS)), name)


@pytest.fixture(scope="module")
def engine(family: Family) -> Iterator[Any]:
    """float32, so that a greedy answer depends on the arithmetic being right and not on rounding."""
    with small_engine(
        family.base,
        dtype="float32",
        max_loras=ADAPTERS,
        max_model_len=256,
        max_num_batched_tokens=64,  # long prompts arrive in chunks
        max_num_seqs=32,
        enable_prefix_caching=False,
        max_logprobs=VOCABULARY,
    ) as llm:
        yield llm


def _write_adapter(base: Path, folder: Path, seed: int) -> Path:
    """What PEFT writes for a LoRA whose B is not zero; without that, an adapter answers as the base does."""
    torch.manual_seed(100 + seed)
    wide = seed == ADAPTERS - 1
    config = LoraConfig(
        r=4 if wide else 16,
        lora_alpha=8 if wide else 32,
        target_modules=EVERY_LINEAR if wide else QUERY_VALUE,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.08)
    model.save_pretrained(folder)
    return folder
