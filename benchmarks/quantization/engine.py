"""A vLLM engine with one adapter in a child process, for `quant_table`: asked in token numbers, timed by the step."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness.engine_process import EngineProcess

RANK, LONGEST, SLOTS = 16, 1024, 32


@dataclass(frozen=True)
class Options:
    """`cache`: type of the KV cache (`auto`: the weights' 16 bits). `stop`: the token that ends an answer.

    `int8_embedding`: embedding and tied head in eight bits (server/cpu_lora/int8_embedding.py).
    """

    base: Path
    adapter: Path
    cache: str
    threads: int
    stop: int | None
    int8_embedding: bool = False


@dataclass(frozen=True)
class Outcome:
    """`answers`: tokens in the order asked. `step`: median seconds of a step in which no prompt was read."""

    answers: list[list[int]]
    seconds: float
    step: float
    resident: int


class QuantEngine(EngineProcess):
    """A context manager; the engine starts at its beginning and is gone at its end."""

    def __init__(self, options: Options) -> None:
        environment = {
            "VLLM_CPU_KVCACHE_SPACE": "2",
            "OMP_NUM_THREADS": str(options.threads),
            "CNI_CPU_LORA_INT8_EMBEDDING": str(int(options.int8_embedding)),
        }
        super().__init__(partial(_start, options), environment)

    def __enter__(self) -> QuantEngine:
        return self

    def answer(self, prompts: Sequence[list[int]], at_once: int, longest: int) -> Outcome:
        """Answer all prompts, at most `at_once` at a time, `longest` tokens each. Raises RuntimeError."""
        outcome: Outcome = self.ask((list(prompts), at_once, longest))
        return outcome


def _start(options: Options) -> Callable[[tuple[list[list[int]], int, int]], Outcome]:
    engine, asked = _engine(options), 0

    def answer(question: tuple[list[list[int]], int, int]) -> Outcome:
        nonlocal asked
        outcome = _answer(engine, options, *question, asked)
        asked += len(question[0])
        return outcome

    return answer


def _engine(options: Options) -> Any:
    from vllm import LLM

    return LLM(
        str(options.base),
        dtype="bfloat16",
        kv_cache_dtype=options.cache,
        skip_tokenizer_init=True,
        enable_lora=True,
        max_loras=1,
        max_lora_rank=RANK,
        max_model_len=LONGEST,
        max_num_seqs=SLOTS,
        block_size=32,
        enable_prefix_caching=True,
        seed=0,
    ).llm_engine


def _answer(engine: Any, options: Options, prompts: list[list[int]], at_once: int, longest: int, first: int) -> Outcome:
    from vllm import SamplingParams
    from vllm.lora.request import LoRARequest

    stop = {"stop_token_ids": [options.stop]} if options.stop is not None else {"ignore_eos": True}
    sampling = SamplingParams(temperature=0, max_tokens=longest, detokenize=False, **stop)
    adapter = LoRARequest("adapter", 1, str(options.adapter))
    engine.reset_prefix_cache()  # prompts come again in every round; only what they share may be found
    waiting, running, steps = list(enumerate(prompts)), 0, []
    answers: list[list[int]] = [[] for _ in prompts]
    began = time.perf_counter()
    while waiting or running:
        fresh = False
        while waiting and running < at_once:
            number, tokens = waiting.pop(0)
            engine.add_request(str(first + number), {"prompt_token_ids": tokens}, sampling, lora_request=adapter)
            running, fresh = running + 1, True
        started = time.perf_counter()
        outputs = engine.step()
        if not fresh:
            steps.append(time.perf_counter() - started)
        for output in (output for output in outputs if output.finished):
            answers[int(output.request_id) - first] = list(output.outputs[0].token_ids)
            running -= 1
    seconds = time.perf_counter() - began
    return Outcome(answers, seconds, statistics.median(steps or [0.0]), psutil.Process().memory_info().rss)
