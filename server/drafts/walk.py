"""A draft's text: what the grammar forces, what is guessed where it leaves a choice; then its tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_CHARACTERS_A_TOKEN = 6
"""A text of as many characters a token is at least as many tokens; longer ones are drafted in two steps."""


class Matcher(Protocol):
    """Where a grammar stands (xgrammar's `GrammarMatcher`)."""

    def find_jump_forward_string(self) -> str: ...

    def accept_string(self, text: str) -> bool: ...


Guesses = Callable[[str], list[str]]
Encode = Callable[[str], list[int]]


@dataclass(frozen=True)
class Drafted:
    """text: how the answer probably goes on; sure: its first characters that nothing else can stand in place of."""

    text: str = ""
    sure: int = 0


def draft_text(answer: str, matcher: Matcher | None, guesses: Guesses, tokens: int) -> Drafted:
    """Enough text for `tokens` tokens, or less. matcher: a copy, which is moved along; None: there is no grammar."""
    text, sure, guessed = "", 0, False
    while len(text) < _CHARACTERS_A_TOKEN * tokens:
        piece = matcher.find_jump_forward_string() if matcher is not None else ""
        if piece and matcher is not None and matcher.accept_string(piece):
            text += piece
            sure = sure if guessed else len(text)
            continue
        piece = _first_allowed(matcher, guesses(answer + text))
        if not piece:
            break
        text, guessed = text + piece, True
    return Drafted(text, sure)


def _first_allowed(matcher: Matcher | None, guesses: list[str]) -> str:
    if matcher is None:
        return guesses[0] if guesses else ""
    return next((guess for guess in guesses if guess and matcher.accept_string(guess)), "")


def draft_tokens(answer: str, ids: list[int], text: str, encode: Encode, most: int) -> list[int]:
    """The tokens of `text` behind an answer whose tokens are `ids`: as if both had been written at once.

    Where the model cut the answer in another way than the tokenizer does, those of `text` alone. All are to be
    verified: a wrong cut costs a step's rows, nothing else."""
    if not text:
        return []
    whole = encode(answer + text)
    return whole[len(ids) :][:most] if whole[: len(ids)] == ids else encode(text)[:most]
