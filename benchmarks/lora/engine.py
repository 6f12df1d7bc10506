"""A vLLM engine in a child process, for the benchmarks of LoRA's speed: without HTTP, so that LoRA alone differs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.harness.models import RANK, Models
from benchmarks.harness.preload import launched

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


class Engine:
    """One engine. A context manager."""

    def __init__(self, models: Models, plan: Plan) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, models, plan), daemon=True)
        with launched(plan.environment) if plan.launch else contextlib.nullcontext():
            self._process.start()
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
        "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "CNI_CPU_LORA": "1" if plan.plugin else "0",
    }  # fmt: skip
    if plan.launch:
        bound = ",".join(map(str, cores))
        os.environ |= {"OMP_NUM_THREADS": str(plan.threads), "VLLM_CPU_OMP_THREADS_BIND": bound}
    os.environ |= plan.environment
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
