"""What a request asks for before it runs: how many answers, and at most how many tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Letters of a token in a text that nobody has tokenized yet; what was reserved too little or too much is settled.
_LETTERS = 3
# Around a chat's message: role and separators.
_MESSAGE = 8


@dataclass(frozen=True)
class Demand:
    """`sequences`: prompts times answers each; `tokens`: in and out of all of them, at most."""

    sequences: int
    tokens: int


def demand_of(body: Any, longest: int) -> Demand:
    """Of a completion's or a chat's body (vLLM's protocol classes). `longest`: the model's context in tokens."""
    prompts, read = _prompts(body)
    answers = max(1, getattr(body, "n", None) or 1)
    most = getattr(body, "max_completion_tokens", None) or getattr(body, "max_tokens", None)
    room = max(1, longest - read // max(1, prompts))
    written = room if most is None else min(max(0, most), room)
    return Demand(prompts * answers, read + prompts * answers * written)


def _prompts(body: Any) -> tuple[int, int]:
    """How many prompts, and about how many tokens they have together."""
    messages = getattr(body, "messages", None)
    if messages is not None:
        return 1, sum(_MESSAGE + _letters(message) // _LETTERS for message in messages)
    prompt = getattr(body, "prompt", None)
    if isinstance(prompt, str) or not prompt:
        return 1, _letters(prompt) // _LETTERS + 1
    if isinstance(prompt[0], int):
        return 1, len(prompt)
    return len(prompt), sum(len(one) if isinstance(one, list) else len(one) // _LETTERS + 1 for one in prompt)


def _letters(value: Any) -> int:
    """Letters of all texts in a value of JSON; a picture's address counts as one, too."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_letters, value.values()))
    if isinstance(value, Sequence):
        return sum(map(_letters, value))
    return 0
