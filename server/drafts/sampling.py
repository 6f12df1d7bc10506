"""What vLLM takes away where there is speculation, given back: `min_p` and `logit_bias`.

vLLM 0.32 refuses both with any speculation, because its verification does not apply them to drafts. Our scheduler never
drafts for a request that has one (`scheduler._is_greedy`), and vLLM samples tokens without drafts as it always does.
"""

from __future__ import annotations

import copy
from typing import Any

PROPOSER = "server.drafts.proposer.NoDrafts"


def allow() -> None:
    """Let requests with `min_p` and `logit_bias` in, once; in the process that takes requests."""
    from vllm.sampling_params import SamplingParams  # heavy

    stock = SamplingParams._validate_spec_decode
    if getattr(stock, "is_cni_drafts", False):
        return

    def validate(self: Any, speculative_config: Any) -> None:
        ours = speculative_config is not None and speculative_config.model == PROPOSER
        stock(self, None if ours else speculative_config)

    validate.is_cni_drafts = True  # type: ignore[attr-defined]
    SamplingParams._validate_spec_decode = validate


def keep_processors() -> None:
    """Let the model runner have the processors of both, once; before it builds them."""
    from vllm.v1.worker import gpu_model_runner  # heavy

    stock = gpu_model_runner.build_logitsprocs
    if getattr(stock, "is_cni_drafts", False):
        return

    def build(vllm_config: Any, *arguments: Any, **named: Any) -> Any:
        plain = copy.copy(vllm_config)
        plain.speculative_config = None
        return stock(plain, *arguments, **named)

    build.is_cni_drafts = True  # type: ignore[attr-defined]
    gpu_model_runner.build_logitsprocs = build
