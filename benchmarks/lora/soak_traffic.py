"""The soak's traffic: clients at once that ask greedily or sample, stream or not, stay or leave; and an alias that is
switched all the time."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import httpx

from benchmarks.harness.frame import say
from benchmarks.lora.soak_answers import TOKENS, Answers, Server

SWITCHED = "switched"
_SWITCH_SECONDS = 1.0
_SAMPLED, _ALIAS, _STREAMED, _LEAVING = 0.15, 0.15, 0.6, 0.25


class Traffic:
    """`models`: base and exact revisions, the most asked first; `revisions`: of the alias that is switched."""

    def __init__(self, server: Server, answers: Answers, models: list[str], revisions: list[str], seed: int) -> None:
        self._server = server
        self._answers = answers
        self._models = models
        self._weights = [1 / rank for rank in range(1, len(models) + 1)]
        self._revisions = revisions
        self._dice = random.Random(seed)
        self._meant: list[tuple[float, str]] = []  # since when the alias means what, for certain
        self._coming = revisions[0]
        self.counts = dict.fromkeys(("requests", "failed", "sampled", "streamed", "aborts", "switches"), 0)

    async def run(self, clients: int, seconds: float) -> None:
        """Ask until the time is over."""
        until = time.monotonic() + seconds
        await self._switch(self._revisions[0])
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._client(until))
            group.create_task(self._switch_on(until))

    async def _client(self, until: float) -> None:
        while time.monotonic() < until:
            dice = self._dice
            model = SWITCHED if dice.random() < _ALIAS else dice.choices(self._models, self._weights)[0]
            index, tokens = dice.randrange(len(self._answers.prompts)), dice.randint(4, TOKENS)
            sampled = dice.random() < _SAMPLED
            stream = dice.random() < _STREAMED
            leave_after = dice.randint(1, 5) if stream and dice.random() < _LEAVING else None
            await self._ask(model, index, tokens, sampled, stream, leave_after)

    async def _ask(
        self, model: str, index: int, tokens: int, sampled: bool, stream: bool, leave_after: int | None = None
    ) -> str:
        """One request, judged; the revision that answered, empty where it failed."""
        self.counts["requests"] += 1
        body = {
            "model": model, "prompt": self._answers.prompts[index], "max_tokens": tokens, "ignore_eos": True,
            **({"temperature": 1.0, "seed": self._dice.randrange(1 << 30)} if sampled else {"temperature": 0}),
        }  # fmt: skip
        begun = time.monotonic()
        try:
            if stream:
                answered, got = await self._stream(body, leave_after)
            else:
                found = await self._server.ask(**body)
                answered, got = {found["model"]}, found["choices"][0]["token_ids"]
            self._check(model, answered, got, tokens if leave_after is None else None, begun)
        except (httpx.HTTPError, KeyError, ValueError) as error:
            self.counts["failed"] += 1
            status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else ""
            say(f"failed: {model}: {type(error).__name__} {status} {error if isinstance(error, ValueError) else ''}")
            return ""
        self.counts["streamed"] += stream
        self.counts["aborts"] += len(got) < tokens
        self.counts["sampled"] += sampled
        revision = answered.pop()
        if got and not sampled:
            self._answers.note(revision, index, tuple(got))
        return revision

    async def _stream(self, body: dict[str, Any], leave_after: int | None) -> tuple[set[str], list[int]]:
        answered, got, chunks = set[str](), list[int](), 0
        async with self._server.stream(**body) as stream:
            async for chunk in stream:
                answered.add(chunk["model"])
                for choice in chunk["choices"]:
                    got += choice.get("token_ids") or []
                chunks += 1
                if chunks == leave_after:
                    break
        return answered, got

    def _check(self, asked: str, answered: set[str], got: list[int], tokens: int | None, begun: float) -> None:
        """Raises ValueError: the answer is not whole, or of a revision that was not asked."""
        if tokens is not None and len(got) != tokens:
            raise ValueError(f"{len(got)} of {tokens} tokens")
        may = self._may_mean(begun) if asked == SWITCHED else {asked}
        if len(answered) != 1 or not answered <= may:
            raise ValueError(f"answered by {sorted(answered)} instead of {sorted(may)}")

    def _may_mean(self, begun: float) -> set[str]:
        """What the alias meant or began to mean at any moment since `begun`."""
        last = max((index for index, (since, _) in enumerate(self._meant) if since <= begun), default=0)
        return {self._coming, *(revision for _, revision in self._meant[last:])}

    async def _switch_on(self, until: float) -> None:
        """Switch; the next request must get the new revision."""
        while time.monotonic() < until:
            target = self._revisions[self.counts["switches"] % len(self._revisions)]
            await self._switch(target)
            answered = await self._ask(SWITCHED, 0, 4, sampled=False, stream=False)
            if answered and answered != target:
                self.counts["failed"] += 1
                say(f"failed: after the switch to {target} {answered} answered")
            await asyncio.sleep(_SWITCH_SECONDS)

    async def _switch(self, target: str) -> None:
        """From the call on the alias may mean it; from the answer on it means nothing else."""
        self._coming = target
        body = {"revision": target.partition("@")[2]}
        answer = await self._server.client.put(f"/v1/adapters/{SWITCHED}", json=body)
        answer.raise_for_status()
        self._meant.append((time.monotonic(), target))
        self.counts["switches"] += 1
