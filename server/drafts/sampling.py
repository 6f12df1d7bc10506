"""What vLLM takes away or gets wrong where there is speculation, mended: `min_p`, `logit_bias`, temperatures.

vLLM 0.32 refuses the first two with any speculation, because its verification does not apply them to drafts. Our
scheduler never drafts for a request that has one (`scheduler._is_greedy`), and vLLM samples tokens without drafts as it
always does. Where a request samples beside drafted ones, its verification spreads temperatures over the drafted rows by
a routine that on a CPU casts them to whole numbers and leaves the result unwritten (`_expand_kernel_impl`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from server.cpu_lora.patching import patch_once

PROPOSER = "server.drafts.proposer.NoDrafts"


def allow() -> None:
    """Let requests with `min_p` and `logit_bias` in, once; in the process that takes requests."""
    from vllm.sampling_params import SamplingParams  # heavy

    patch_once(SamplingParams, "_validate_spec_decode", _allowing)


def keep_processors() -> None:
    """Let the model runner have the processors of both, once; before it builds them."""
    from vllm.v1.worker import gpu_model_runner  # heavy

    patch_once(gpu_model_runner, "build_logitsprocs", _building)


def mend_temperatures() -> None:
    """Let each drafted row have its request's own temperature, `top_k` and `top_p`, once."""
    from vllm.v1.sample import rejection_sampler  # heavy

    patch_once(rejection_sampler, "expand_batch_to_tokens", lambda _stock: _spreading())


def _allowing(stock: Callable[..., None]) -> Callable[..., None]:
    def validate(self: Any, speculative_config: Any) -> None:
        ours = speculative_config is not None and speculative_config.model == PROPOSER
        stock(self, None if ours else speculative_config)

    return validate


def _building(stock: Callable[..., Any]) -> Callable[..., Any]:
    def build(vllm_config: Any, *arguments: Any, **named: Any) -> Any:
        plain = copy.copy(vllm_config)
        plain.speculative_config = None
        return stock(plain, *arguments, **named)

    return build


def _spreading() -> Callable[..., Any]:
    def expand(*arguments: Any, **named: Any) -> Any:
        return spread(*arguments, **named)

    return expand


def spread(x: Any, cu_num_tokens: Any, num_tokens: int, replace_from: int = 0, replace_to: int = 0) -> Any:
    """vLLM's `expand_batch_to_tokens`: x [requests], cu_num_tokens [requests] (the rows up to and with each request's)
    -> [num_tokens], each value as often as its request has rows, `replace_from` as `replace_to`."""
    import torch  # heavy

    counts = torch.diff(cu_num_tokens, prepend=cu_num_tokens.new_zeros(1))
    given = x.masked_fill(x == replace_from, replace_to)
    return torch.repeat_interleave(given, counts, output_size=num_tokens)
