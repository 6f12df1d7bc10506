"""Log-probabilities of answered tokens where there is speculation, of the rows that were answered alone.

vLLM 0.32 gathers the logits of all drafted rows anew, takes the log-softmax of each and sorts it for its likeliest
entries, rejected rows among them. Who asks for the answered tokens' own (`logprobs: 0`)
needs of each answered row one sum and one number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cpu_lora.patching import patch_once


def shorten() -> None:
    """Let the verification of drafts do no more than that, once."""
    from vllm.v1.sample.rejection_sampler import RejectionSampler  # heavy

    patch_once(RejectionSampler, "_get_logprobs_tensors", _shortened)


def _shortened(stock: Callable[..., Any]) -> Callable[..., Any]:
    def tensors(
        self: Any, most: int, metadata: Any, logits: Any, target_logits: Any, bonus_logits: Any, sampled: Any
    ) -> Any:
        if most or self.is_logits_logprobs_mode or self.is_processed_logprobs_mode:
            return stock(self, most, metadata, logits, target_logits, bonus_logits, sampled)
        return own(logits, metadata.cu_num_sampled_tokens, sampled)

    return tensors


def own(logits: Any, ends: Any, sampled: Any) -> Any:
    """vLLM's LogprobsTensors, one column. logits: [rows, vocabulary], as the model gave them; ends: [requests], rows
    up to and with each request's; sampled: [requests, most], -1 where nothing was answered."""
    import torch  # heavy
    from vllm.v1.outputs import LogprobsTensors

    said = sampled >= 0
    starts = ends - torch.diff(ends, prepend=ends.new_zeros(1))
    rows = (starts.unsqueeze(1) + torch.arange(sampled.shape[1], dtype=ends.dtype, device=ends.device))[said]
    answered = logits[rows].float()
    chosen = answered.gather(1, sampled[said].long().unsqueeze(1))
    logprobs, ranks = torch.zeros(sampled.shape), torch.zeros(sampled.shape, dtype=torch.int64)
    logprobs[said] = (chosen - answered.logsumexp(1, keepdim=True)).squeeze(1)
    ranks[said] = (answered >= chosen).sum(1)
    tokens = sampled.clamp(min=0).reshape(-1, 1).int()
    return LogprobsTensors(tokens, logprobs.reshape(-1, 1), ranks.flatten())
