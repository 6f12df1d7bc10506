"""What `benchmarks.tune.launch` tries: each candidate is a change of the launch, as a tuned profile writes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Changes = dict[str, Any]
_NGRAM = '{"method":"ngram","num_speculative_tokens":4,"prompt_lookup_max":3,"prompt_lookup_min":2}'  # one word

_SUFFIX = '{"method":"suffix","num_speculative_tokens":8}'


@dataclass(frozen=True)
class Candidate:
    """`may_win`: off for what depends on more than the machine; it is measured and reported only."""

    name: str
    changes: Changes
    may_win: bool = True


def candidates(only: Sequence[str]) -> list[Candidate]:
    """All of them, or those whose name holds one of `only`."""
    return [each for each in _all() if not only or any(word in each.name for word in only)]


def joined(one: Changes, other: Changes) -> Changes:
    """Both changes; where they touch the same thing, `other`."""
    merged = {**one, **other}
    for part in ("options", "environment"):
        merged[part] = {**one.get(part, {}), **other.get(part, {})}
    return merged


def _all() -> list[Candidate]:
    cores = [str(core) for core in sorted(os.sched_getaffinity(0))]
    bind = {"the server's own": "auto", "none": "nobind", "one core left free": ",".join(cores[:-1] or cores)}
    return [
        *(_variable(f"binding: {name}", "VLLM_CPU_OMP_THREADS_BIND", value) for name, value in bind.items()),
        Candidate("preload: nothing", {"preload": []}),
        Candidate("preload: tcmalloc alone", {"preload": ["tcmalloc"]}),
        Candidate("preload: libiomp5 alone", {"preload": ["libiomp5"]}),
        *(_variable(f"libiomp5 spins {value} ms", "KMP_BLOCKTIME", value) for value in ("0", "1")),
        *(_option(f"KV block of {size}", "--block-size", size) for size in ("64", "128")),
        *(_option(f"chunks of {size} tokens", "--max-num-batched-tokens", size) for size in ("512", "1024", "4096")),
        _option("no prefix caching", "--no-enable-prefix-caching", ""),
        # Its processes spin on the cores that the OCR front beside it needs, which this benchmark does not see.
        Candidate("executor: a second process", {"options": {"--distributed-executor-backend": "mp"}}, may_win=False),
        # torch.compile is not here: with LoRA vLLM's CPU backend never compiles, whatever the options say.
        _variable("oneDNN for decode steps", "CNI_CPU_LORA_LINEAR", "0"),
        _variable("decode steps layer by layer", "CNI_CPU_LORA_STEP", "0"),
        _variable("oneDNN for prompts", "CNI_CPU_LORA_PROMPTS", "0"),
        _variable("norms left to PyTorch", "CNI_CPU_LORA_EAGER_OPS", "0"),
        _variable("likeliest tokens by PyTorch", "CNI_CPU_LORA_GREEDY", "0"),
        Candidate("n-gram speculation", {"options": {"--speculative-config": _NGRAM}}, may_win=False),
        # Runs where arctic-inference 0.1.1 is installed, which vLLM asks for.
        Candidate("suffix speculation", {"options": {"--speculative-config": _SUFFIX}}, may_win=False),
        Candidate("LoRA on q_proj, v_proj", {"options": {"--lora-target-modules": "q_proj v_proj"}}, may_win=False),
    ]


def _variable(name: str, variable: str, value: str) -> Candidate:
    return Candidate(name, {"environment": {variable: value}})


def _option(name: str, option: str, value: str) -> Candidate:
    return Candidate(name, {"options": {option: value}})
