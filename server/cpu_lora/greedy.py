"""The end of a step where every request takes its likeliest token: its grammar, the choice and its log-probability.

vLLM turns the logits of all rows, drafted ones among them, into float32, walks through what a grammar forbids one token
at a time, copies all of it for drafts, and takes the log-softmax of whole rows. For a large vocabulary and a few rows
of drafts that took a fifth of a step. Here the logits stay in bfloat16 and are read once; tokens are the same, and
log-probabilities up to the order of a sum. Batches in which a request samples, or asks for more, are vLLM's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from server.cpu_lora import kernel
from server.cpu_lora.patching import patch_once

_NOTHING = -1
"""vLLM's `PLACEHOLDER_TOKEN_ID`: no token was answered here."""

Stock = Callable[..., Any]


def use(engine: kernel.Kernel) -> None:
    """Give vLLM's grammars and samplers the kernel, once."""
    from vllm.v1.sample.rejection_sampler import RejectionSampler  # heavy
    from vllm.v1.sample.sampler import Sampler
    from vllm.v1.worker import gpu_model_runner

    patch_once(gpu_model_runner, "apply_grammar_bitmask", lambda stock: _masking(stock, engine))
    patch_once(Sampler, "forward", lambda stock: _choosing(stock, engine))
    patch_once(RejectionSampler, "forward", lambda stock: _verifying(stock, engine))


def _masking(stock: Stock, engine: kernel.Kernel) -> Stock:
    def mask(scheduler_output: Any, grammar_output: Any, input_batch: Any, logits: Any) -> None:
        if not _readable(logits):
            stock(scheduler_output, grammar_output, input_batch, logits)
            return
        drafts = scheduler_output.scheduled_spec_decode_tokens
        places, at = {}, 0
        for request in input_batch.req_ids:
            places[request] = at
            at += 1 + len(drafts.get(request, ()))
        rows: list[int] = []
        for request in grammar_output.structured_output_request_ids:
            first, count = places.get(request, _NOTHING), 1 + len(drafts.get(request, ()))
            rows += [_NOTHING] * count if first == _NOTHING else range(first, first + count)
        engine.forbid(logits, np.ascontiguousarray(grammar_output.grammar_bitmask), rows)

    return mask


def _choosing(stock: Stock, engine: kernel.Kernel) -> Stock:
    def forward(self: Any, logits: Any, sampling_metadata: Any, *arguments: Any, **named: Any) -> Any:
        if arguments or named or not (_readable(logits) and _is_plain(self, sampling_metadata)):
            return stock(self, logits, sampling_metadata, *arguments, **named)
        tokens, ranks, logprobs = engine.likeliest(logits)
        chosen = tokens.int().unsqueeze(1)
        return _output(chosen, None if sampling_metadata.max_num_logprobs is None else (chosen, logprobs, ranks))

    return forward


def _verifying(stock: Stock, engine: kernel.Kernel) -> Stock:
    def forward(self: Any, metadata: Any, draft_probs: Any, logits: Any, sampling_metadata: Any) -> Any:
        plain = _readable(logits) and not self.synthetic_mode and _is_plain(self.sampler, sampling_metadata)
        if not plain:
            return stock(self, metadata, draft_probs, logits, sampling_metadata)
        tokens, ranks, logprobs = engine.likeliest(logits)
        rows, said = accepted(tokens, metadata.draft_token_ids, metadata.num_draft_tokens, metadata.max_spec_len)
        answered = torch.full(said.shape, _NOTHING, dtype=torch.int32)
        answered[said] = tokens[rows].int()
        if sampling_metadata.max_num_logprobs is None:
            return _output(answered, None)
        of_all, their_ranks = torch.zeros(said.shape), torch.zeros(said.shape, dtype=torch.int64)
        of_all[said], their_ranks[said] = logprobs[rows], ranks[rows]
        return _output(answered, (answered.clamp(min=0).reshape(-1, 1), of_all.flatten(), their_ranks.flatten()))

    return forward


def accepted(
    tokens: torch.Tensor, drafted: torch.Tensor, counts: list[int], most: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows that were answered, in order, and where they go, bool [requests, most + 1].

    tokens: the likeliest of each row; a request has a row for each of its `counts` drafted tokens and one behind them.
    A row is answered as long as all drafted tokens before it are the likeliest themselves."""
    likeliest, guesses = tokens.tolist(), iter(drafted.tolist())
    rows: list[int] = []
    said, first = torch.zeros((len(counts), most + 1), dtype=torch.bool), 0
    for request, count in enumerate(counts):
        mine = [next(guesses) for _ in range(count)]
        true = next((n for n, guess in enumerate(mine) if guess != likeliest[first + n]), count)
        rows += range(first, first + true + 1)
        said[request, : true + 1] = True
        first += count + 1
    return torch.tensor(rows, dtype=torch.int64), said


def _output(tokens: torch.Tensor, logprobs: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None) -> Any:
    from vllm.v1.outputs import LogprobsTensors, SamplerOutput

    if logprobs is None:
        return SamplerOutput(sampled_token_ids=tokens, logprobs_tensors=None)
    chosen, values, ranks = logprobs
    return SamplerOutput(tokens, LogprobsTensors(chosen, values.reshape(-1, 1), ranks))


def _readable(logits: Any) -> bool:
    if not isinstance(logits, torch.Tensor) or logits.dtype != torch.bfloat16 or not logits.is_cpu:
        return False
    return logits.dim() == 2 and logits.stride(1) == 1


def _is_plain(sampler: Any, metadata: Any) -> bool:
    """Whether every request's next token is the likeliest one, and nothing but its log-probability is asked for."""
    asked = metadata.max_num_logprobs in (None, 0) and not metadata.logprob_token_ids
    if not metadata.all_greedy or not asked or sampler.logprobs_mode != "raw_logprobs":
        return False
    if not metadata.no_penalties or metadata.bad_words_token_ids or metadata.allowed_token_ids_mask is not None:
        return False
    holder = metadata.thinking_budget_state_holder
    if holder is not None and holder.has_tracked_requests():
        return False
    return not any(_acts(one) for one in metadata.logitsprocs.non_argmax_invariant)


def _acts(processor: Any) -> bool:
    """Whether it changes a request's logits; one that we do not know may."""
    for known in ("biases", "min_toks"):  # vLLM's LogitBiasLogitsProcessor and MinTokensLogitsProcessor
        if hasattr(processor, known):
            return bool(getattr(processor, known))
    return True
