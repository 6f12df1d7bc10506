"""What a launch says to vLLM for drafts. Pure."""

import json
from collections.abc import Sequence
from itertools import pairwise

from server.choice import Choice
from server.drafts.sampling import PROPOSER

SCHEDULER = "server.drafts.scheduler.DraftScheduler"
SPLIT = "VLLM_CPU_ATTN_SPLIT_KV"
MOST = 32


def room(words: Sequence[str]) -> int:
    """Tokens that a launch of these words can draft: vLLM refuses one whose batch does not hold everybody's drafts."""
    batch, requests = (_last(words, name) for name in ("--max-num-batched-tokens", "--max-num-seqs"))
    return MOST if batch is None or requests is None else max(0, min(MOST, batch // requests - 1))


def _last(words: Sequence[str], name: str) -> int | None:
    """The value that vLLM takes: the last of several."""
    values = [after for word, after in pairwise(words) if word == name]
    values += [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
    return int(values[-1]) if values and values[-1].isdigit() and int(values[-1]) else None


def options(tokens: int) -> dict[str, str]:
    """vLLM's options for drafts of up to `tokens` tokens; none for 0."""
    if not tokens:
        return {}
    speculation = {"method": "custom_class", "model": PROPOSER, "num_speculative_tokens": tokens}
    return {"--speculative-config": json.dumps(speculation), "--scheduler-cls": SCHEDULER}


def choices(tokens: int) -> list[Choice]:
    """The launch's lines about it."""
    if tokens:
        line = Choice(
            "drafts", f"up to {tokens} tokens", "SERVER_DRAFT_TOKENS: a step costs little more for a few rows"
        )
    else:
        line = Choice("drafts", "off", "one token a step; SERVER_DRAFT_TOKENS=8 verifies guesses of up to 8 in one")
    # vLLM would cut the context of one request alone between threads, and sum it up in another order than in a crowd.
    return [line, Choice(SPLIT, "0", "an answer is the same to the bit alone, in a crowd and with drafts")]
