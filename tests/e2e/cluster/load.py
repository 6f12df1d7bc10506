"""Requests through the router, each judged: it names what answered it, and says what that revision says alone."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field

import httpx

from .conftest import OTHERS, Cluster

PROMPTS = [f"{'the lines of a card ' * 4}{index}" for index in range(4)]
_TOKENS = 12


@dataclass
class Outcome:
    """One request. `failure` is empty when it was answered; times are `time.monotonic()`."""

    asked: str
    began: float
    ended: float = 0.0
    answered: str = ""
    failure: str = ""


@dataclass
class Load:
    """`at_once` clients, each with `pause` seconds after an answer, while the `async with` block runs.

    Wrong answers fail at its end.
    """

    cluster: Cluster
    expected: dict[tuple[str, str], str]
    at_once: int = 6
    pause: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)

    async def __aenter__(self) -> "Load":
        self._over = asyncio.Event()
        self._client = httpx.AsyncClient(base_url=self.cluster.router, timeout=120)
        self._tasks = [asyncio.create_task(self._ask_on(random.Random(seed))) for seed in range(self.at_once)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)
        await self._client.aclose()

    @property
    def failed(self) -> list[Outcome]:
        """Requests without an answer."""
        return [outcome for outcome in self.outcomes if outcome.failure]

    async def more(self, count: int) -> None:
        """Until so many more requests have ended."""
        reached = len(self.outcomes) + count
        while len(self.outcomes) < reached:
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)

    async def _ask_on(self, random: random.Random) -> None:
        names = ["cni", "cni", self.cluster.base, *OTHERS, *(f"cni@{name}" for name in self.cluster.revisions)]
        while not self._over.is_set():
            await self._ask(random.choice(names), random.choice(PROMPTS), random.random() < 0.3)
            await asyncio.sleep(self.pause)

    async def _ask(self, asked: str, prompt: str, stream: bool) -> None:
        outcome = Outcome(asked, time.monotonic())
        try:
            outcome.answered, text = await ask(self._client, asked, prompt, stream)
        except (httpx.HTTPError, Broken) as error:
            outcome.failure = f"{type(error).__name__}: {error}"
        outcome.ended = time.monotonic()
        self.outcomes.append(outcome)
        if not outcome.failure:
            judge(self.expected, asked, outcome.answered, prompt, text)


class Broken(Exception):
    """An answer that is none: another status, or a stream that ended in the middle."""


def judge(expected: dict[tuple[str, str], str], asked: str, answered: str, prompt: str, text: str) -> None:
    """A revision answers for its alias and for nothing else, with its own words."""
    assert answered == asked or answered.startswith(f"{asked}@"), (asked, answered)
    assert text == expected[answered, prompt], (asked, answered)


async def ask(client: httpx.AsyncClient, model: str, prompt: str, stream: bool) -> tuple[str, str]:
    """What answered, and its text. Raises Broken, httpx.HTTPError."""
    body = {"model": model, "prompt": prompt, "max_tokens": _TOKENS, "temperature": 0, "stream": stream}
    headers = {"X-Session-ID": model}
    if not stream:
        answer = await client.post("/v1/completions", json=body, headers=headers)
        if answer.status_code != 200:
            raise Broken(f"{answer.status_code} {answer.text[:200]}")
        return answer.json()["model"], answer.json()["choices"][0]["text"]
    names, text, done = set(), "", False
    async with client.stream("POST", "/v1/completions", json=body, headers=headers) as answer:
        if answer.status_code != 200:
            raise Broken(str(answer.status_code))
        async for line in answer.aiter_lines():
            done = done or line == "data: [DONE]"
            if line.startswith("data: {"):
                chunk = json.loads(line[6:])
                names.add(chunk["model"])
                text += "".join(choice["text"] for choice in chunk["choices"])
    if not done:
        raise Broken("the stream ended in the middle")
    assert len(names) == 1, names
    return names.pop(), text


async def references(cluster: Cluster) -> dict[tuple[str, str], str]:
    """What each revision says to each prompt, asked of one server alone; by the name that it answers with."""
    names = [cluster.base, *OTHERS, *(f"cni@{revision}" for revision in cluster.revisions)]
    found = {}
    async with httpx.AsyncClient(base_url=cluster.servers[0], timeout=120) as client:
        for name in names:
            for prompt in PROMPTS:
                answered, text = await ask(client, name, prompt, stream=False)
                found[answered, prompt] = text
    return found
