"""A vLLM engine in a child process, for the benchmarks of LoRA's speed: without HTTP, so that LoRA alone differs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from benchmarks.harness.engine_process import EngineProcess
from benchmarks.harness.models import RANK, Models

BASE = -1
"""The adapter number of a request to the base model."""


@dataclass(frozen=True)
class Spent:
    """What one batch took: wall and processor seconds (all threads) of its decode steps, per token of the batch;
    `prefill`: wall seconds until every request had its first token."""

    wall: float
    processor: float
    prefill: float


@dataclass(frozen=True)
class Plan:
    """How to start an engine. `plugin`: our CPU LoRA or vLLM's own; `options` are vLLM's.

    `launch`: threads bound and libraries preloaded as `python -m server` does; off: all as vLLM has it by default.
    """

    threads: int
    prompt: int
    plugin: bool = True
    launch: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


class Engine(EngineProcess):
    """One engine of models and plan. A context manager."""

    def __init__(self, models: Models, plan: Plan) -> None:
        super().__init__(partial(_start, models, plan), _environment(plan), preload=plan.launch)

    def __enter__(self) -> Engine:
        return self

    def decode(self, adapters: list[int], tokens: int) -> Spent:
        """Answer one request per entry (an adapter's number or BASE) at once, `tokens` tokens each."""
        spent: Spent = self.ask((adapters, tokens))
        return spent

    def resident(self) -> int:
        """Bytes of memory that the engine's process holds now."""
        held: int = self.ask(None)
        return held


def _environment(plan: Plan) -> dict[str, str]:
    ours = {"VLLM_CPU_KVCACHE_SPACE": "1", "CNI_CPU_LORA": "1" if plan.plugin else "0"}
    if plan.launch:
        cores = sorted(os.sched_getaffinity(0))[: plan.threads]
        ours |= {"OMP_NUM_THREADS": str(plan.threads), "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores))}
    return {**ours, **plan.environment}


def _start(models: Models, plan: Plan) -> Callable[[tuple[list[int], int] | None], Spent | int]:
    engine, numbers = _engine(models, plan), count()

    def answer(asked: tuple[list[int], int] | None) -> Spent | int:
        return _resident() if asked is None else _decode(engine, models, *asked, plan.prompt, numbers)

    return answer


def _resident() -> int:
    import psutil

    held: int = psutil.Process().memory_info().rss
    return held


def _engine(models: Models, plan: Plan) -> Any:
    from vllm import LLM

    options: dict[str, Any] = {
        "dtype": "bfloat16", "skip_tokenizer_init": True, "enable_lora": True,
        "max_loras": max(len(models.adapters), 1),
        "max_lora_rank": RANK, "max_model_len": 1024, "max_num_seqs": 64, "enable_prefix_caching": False, "seed": 0,
    }  # fmt: skip
    return LLM(str(models.base), **{**options, **plan.options}).llm_engine


def _decode(engine: Any, models: Models, adapters: list[int], tokens: int, prompt: int, numbers: count[int]) -> Spent:
    from vllm import SamplingParams
    from vllm.lora.request import LoRARequest

    sampling = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False)
    for index, adapter in enumerate(adapters):
        request = None if adapter == BASE else LoRARequest(f"a{adapter}", adapter + 1, str(models.adapters[adapter]))
        ids = [2 + (7 * place + index) % 250 for place in range(prompt)]
        engine.add_request(str(next(numbers)), {"prompt_token_ids": ids}, sampling, lora_request=request)
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
