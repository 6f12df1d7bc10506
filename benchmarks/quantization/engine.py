"""A vLLM engine with one adapter in a child process, for `quant_table`: asked in token numbers, timed by the step."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness.preload import launched

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


class QuantEngine:
    """A context manager; the engine starts at its beginning and is gone at its end."""

    def __init__(self, options: Options) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, options), daemon=True)
        with launched():
            self._process.start()
        theirs.close()

    def __enter__(self) -> QuantEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(timeout=20)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def ask(self, prompts: Sequence[list[int]], at_once: int, longest: int) -> Outcome:
        """Answer all prompts, at most `at_once` at a time, `longest` tokens each. Raises RuntimeError."""
        try:
            self._pipe.send((list(prompts), at_once, longest))
            outcome = self._pipe.recv()
        except (EOFError, OSError):
            raise RuntimeError("the engine's process ended; its own messages say why") from None
        if not isinstance(outcome, Outcome):
            raise RuntimeError(f"the engine failed: {outcome}")
        return outcome


def _serve(pipe: Connection, options: Options) -> None:
    os.environ |= {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_PLUGINS": "cni_cpu_lora",
        "VLLM_CPU_KVCACHE_SPACE": "2", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(options.threads),
        "VLLM_NO_USAGE_STATS": "1", "CNI_CPU_LORA_INT8_EMBEDDING": str(int(options.int8_embedding)),
    }  # fmt: skip
    try:
        engine = _engine(options)
        asked = 0
        while True:
            prompts, at_once, longest = pipe.recv()
            pipe.send(_answer(engine, options, prompts, at_once, longest, asked))
            asked += len(prompts)
    except EOFError:
        os._exit(0)
    except Exception as error:  # the parent shows it; this process has nowhere else to say it
        pipe.send(repr(error))


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
