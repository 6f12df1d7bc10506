"""What vLLM's model runner asks for drafts: none. They are made by the scheduler, which knows the grammars."""

from __future__ import annotations

from typing import Any

from server.drafts import logprobs, sampling


class NoDrafts:
    """vLLM's `custom_class` proposer (`sampling.PROPOSER`); having one turns its verification of drafts on."""

    def __init__(self, vllm_config: Any) -> None:
        del vllm_config
        sampling.keep_processors()  # the runner builds them next
        sampling.mend_temperatures()
        logprobs.shorten()

    def load_model(self, target_model: Any) -> None:
        """There is no model."""

    def propose(self, sampled_token_ids: list[list[int]], *_: Any, **__: Any) -> list[list[int]]:
        """An empty draft for each request of the batch."""
        return [[] for _ in sampled_token_ids]
