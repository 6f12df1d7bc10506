"""A vLLM engine in a child process, for the benchmarks of LoRA's speed: without HTTP, so that LoRA alone differs.

Bases and adapters are random weights of a real shape (but for the embedded base's own weights). Random weights measure
speed honestly and answer nonsense: no output of these models is ever shown as an answer.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

RANK = 16
BASE = -1
"""The adapter number of a request to the base model."""

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


@dataclass(frozen=True)
class Spent:
    """What one batch took: wall and processor seconds (all threads) of its decode steps, per token of the batch;
    `prefill`: wall seconds until every request had its first token."""

    wall: float
    processor: float
    prefill: float


@dataclass(frozen=True)
class Plan:
    """How to start an engine. `plugin`: our CPU LoRA or vLLM's own; `options` are vLLM's."""

    threads: int
    prompt: int
    plugin: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


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
        adapted.save_pretrained(folder / f"adapter-{number}")
    return Models(base, tuple(folder / f"adapter-{number}" for number in range(adapters)))


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


class Engine:
    """One engine. A context manager."""

    def __init__(self, models: Models, plan: Plan) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, models, plan), daemon=True)
        kept = os.environ.copy()
        os.environ.update(plan.environment)  # before the start: the loader reads LD_PRELOAD then
        self._process.start()
        os.environ.clear()
        os.environ.update(kept)
        theirs.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.terminate()

    def decode(self, adapters: list[int], tokens: int) -> Spent:
        """Answer one request per entry (an adapter's number or BASE) at once, `tokens` tokens each."""
        spent = self._ask((adapters, tokens))
        if not isinstance(spent, Spent):
            raise RuntimeError(f"the engine failed: {spent}")
        return spent

    def resident(self) -> int:
        """Bytes of memory that the engine's process holds now."""
        held = self._ask(None)
        if not isinstance(held, int):
            raise RuntimeError(f"the engine failed: {held}")
        return held

    def _ask(self, what: tuple[list[int], int] | None) -> Any:
        try:
            self._pipe.send(what)
            return self._pipe.recv()
        except (EOFError, OSError):
            return "its process ended (too little memory?)"


def _serve(pipe: Connection, models: Models, plan: Plan) -> None:
    cores = sorted(os.sched_getaffinity(0))[: plan.threads]
    os.environ |= {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_PLUGINS": "cni_cpu_lora",
        "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(plan.threads),
        "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores)), "CNI_CPU_LORA": "1" if plan.plugin else "0",
        **plan.environment,
    }  # fmt: skip
    try:
        engine = _engine(models, plan)
        number = 0
        while True:
            asked = pipe.recv()
            if asked is None:
                import psutil

                pipe.send(psutil.Process().memory_info().rss)
                continue
            adapters, tokens = asked
            pipe.send(_decode(engine, models, adapters, tokens, plan.prompt, number))
            number += len(adapters)
    except EOFError:
        os._exit(0)
    except Exception as error:  # the parent shows it; this process has nowhere else to say it
        pipe.send(repr(error))


def _engine(models: Models, plan: Plan) -> Any:
    from vllm import LLM

    options: dict[str, Any] = {
        "dtype": "bfloat16", "skip_tokenizer_init": True, "enable_lora": True,
        "max_loras": max(len(models.adapters), 1),
        "max_lora_rank": RANK, "max_model_len": 1024, "max_num_seqs": 64, "enable_prefix_caching": False, "seed": 0,
    }  # fmt: skip
    return LLM(str(models.base), **{**options, **plan.options}).llm_engine


def _decode(engine: Any, models: Models, adapters: list[int], tokens: int, prompt: int, first: int) -> Spent:
    from vllm import SamplingParams
    from vllm.lora.request import LoRARequest

    sampling = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False)
    for index, adapter in enumerate(adapters):
        request = None if adapter == BASE else LoRARequest(f"a{adapter}", adapter + 1, str(models.adapters[adapter]))
        ids = [2 + (7 * place + index) % 250 for place in range(prompt)]
        engine.add_request(str(first + index), {"prompt_token_ids": ids}, sampling, lora_request=request)
    steps: list[tuple[float, float]] = []
    while engine.has_unfinished_requests():
        wall, processor = time.perf_counter(), time.process_time()
        engine.step()
        steps.append((time.perf_counter() - wall, time.process_time() - processor))
    # The first steps read prompts and load adapters; the last ones of equal batches are decode steps.
    decoding = max(tokens - 1, 1)
    prefill, counted = steps[:-decoding], steps[-decoding:]
    middle = len(counted) // 2
    walls, processors = sorted(w for w, _ in counted), sorted(p for _, p in counted)
    each = len(adapters)
    return Spent(walls[middle] / each, processors[middle] / each, sum(w for w, _ in prefill))
