"""One request's drafts: its page, what is guessed of its answer, and how its guesses fare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from server.drafts.budget import Budget
from server.drafts.guess import Guesser, lines_taken
from server.drafts.memory import Memory
from server.drafts.page import Page
from server.drafts.walk import Matcher, draft_text, draft_tokens

_UNFINISHED = "\ufffd"  # how a character looks of which the last bytes are missing


@dataclass(frozen=True)
class Words:
    """A tokenizer, both ways, without special tokens."""

    encode: Callable[[str], list[int]]
    decode: Callable[[Sequence[int]], str]


@dataclass
class Drafter:
    """Drafts for one request. memory: of its form of page, shared by all requests that have it."""

    page: Page
    memory: Memory
    words: Words
    budget: Budget
    _drafted: list[int] = field(default_factory=list)
    _guessed_from: int = 0
    _at: int = 0

    def __post_init__(self) -> None:
        self._guesser = Guesser(self.page, self.memory)

    def propose(self, output: Sequence[int], matcher: Matcher | None, running: int, room: int) -> list[int]:
        """Tokens that may follow `output`, at most `room`. running: requests that share the step."""
        ids = list(output)
        self._judge(ids)
        most = min(room, self.budget.most(running))
        if most < 1 or not ids:
            return []
        trusted = self.budget.trusts(self.memory.share, running)
        if not trusted and matcher is None:
            self.memory.skip()
            return []
        answer = self.words.decode(ids)
        if answer.endswith(_UNFINISHED):
            return []
        self._guesser.look(answer)
        drafted = draft_text(answer, matcher, self._guesser.continuations if trusted else _nothing, most)
        if not trusted:
            self.memory.skip()
        tokens = draft_tokens(answer, ids, drafted.text, self.words.encode, most)
        sure = drafted.text[: drafted.sure]
        self._guessed_from = len(draft_tokens(answer, ids, sure, self.words.encode, most))
        self._drafted, self._at = tokens, len(ids)
        return tokens

    def finish(self, output: Sequence[int]) -> None:
        """The answer is whole: learn from it."""
        self._judge(list(output))
        self.memory.learn(self.page, lines_taken(self.page, self.words.decode(output)))

    def _judge(self, ids: list[int]) -> None:
        """Tell the memory how many of the last draft's guessed tokens the model took."""
        drafted, self._drafted = self._drafted, []
        guessed = len(drafted) - self._guessed_from
        if guessed < 1 or len(ids) <= self._at:
            return
        taken = 0
        for mine, theirs in zip(drafted, ids[self._at :], strict=False):
            if mine != theirs:
                break
            taken += 1
        self.memory.judge(max(0, taken - self._guessed_from) / guessed)


def _nothing(_: str) -> list[str]:
    return []
