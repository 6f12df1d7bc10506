"""What a launch says to vLLM for drafts. Pure."""

import json

from server.choice import Choice
from server.drafts.sampling import PROPOSER

SCHEDULER = "server.drafts.scheduler.DraftScheduler"
SPLIT = "VLLM_CPU_ATTN_SPLIT_KV"


def options(tokens: int) -> dict[str, str]:
    """vLLM's options for drafts of up to `tokens` tokens; none for 0."""
    if not tokens:
        return {}
    speculation = {"method": "custom_class", "model": PROPOSER, "num_speculative_tokens": tokens}
    return {"--speculative-config": json.dumps(speculation), "--scheduler-cls": SCHEDULER}


def choices(tokens: int) -> list[Choice]:
    """The launch's lines about it."""
    if not tokens:
        return [Choice("drafts", "off", "one token a step; SERVER_DRAFT_TOKENS=8 verifies guesses of up to 8 in one")]
    return [
        Choice("drafts", f"up to {tokens} tokens", "SERVER_DRAFT_TOKENS: a step costs little more for a few rows"),
        # A context that is cut between threads is summed up in another order for several rows than for one.
        Choice(SPLIT, "0", "a row's attention is the same to the bit with and without drafts beside it"),
    ]
