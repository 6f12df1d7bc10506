"""What each revision says when nothing else runs, and whether an answer out of a crowd is its own.

In bfloat16 two right computations differ by rounding, so a token may differ where two tokens are nearly as likely. An
answer that differs from the one taken alone is therefore read by its own revision once more, alone: each of its tokens
must be as likely as the best one, to rounding. Another revision's answer fails that at its first tokens.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.harness.frame import say
from benchmarks.harness.metrics import by_labels, sums

TOKENS = 24  # of an answer at most
# In log-probability. Ours differ from float32 by 0.1 at most (docs/lab-notes.md, on the step in C++), and two tokens of
# two computations are compared; other revisions' tokens are nats away (`mixed_up` measures how often that is seen).
ROUNDING = 0.3
_MIXED_UP = 40
_PROCESS = "process_"
_QUIET_SECONDS = 30.0
_Given = tuple[str, int, tuple[int, ...]]


class Server:
    """A server under soak, by HTTP."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=128)
        self.client = httpx.AsyncClient(base_url=url, timeout=300, limits=limits)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def base(self) -> str:
        """The base's public name."""
        models = (await self.client.get("/v1/models")).json()["data"]
        return str(next(model["id"] for model in models if model["parent"] is None))

    async def ask(self, **body: Any) -> dict[str, Any]:
        """One completion with its tokens. Raises HTTPError."""
        answer = await self.client.post("/v1/completions", json={"return_token_ids": True, **body})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    @asynccontextmanager
    async def stream(self, **body: Any) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The chunks of one completion. Raises HTTPError; leaving early closes the connection."""
        whole = {"return_token_ids": True, "stream": True, **body}
        async with self.client.stream("POST", "/v1/completions", json=whole) as answer:
            answer.raise_for_status()

            async def chunks() -> AsyncIterator[dict[str, Any]]:
                async for line in answer.aiter_lines():
                    if line.startswith("data: {"):
                        yield json.loads(line[6:])

            yield chunks()

    async def metrics(self) -> dict[str, float]:
        """Sums over labels, but processes by their own."""
        page = (await self.client.get("/metrics")).text
        together = {name: value for name, value in sums(page).items() if _PROCESS not in name}
        return together | {name: value for name, value in by_labels(page).items() if _PROCESS in name}

    async def left_running(self) -> int:
        """Requests in the engine or on our counters once all clients have gone; 0 after some seconds at the latest."""
        names = ("cni_server_requests_in_flight", "vllm:num_requests_running", "vllm:num_requests_waiting")
        left = 0
        for _ in range(round(_QUIET_SECONDS)):
            found = await self.metrics()
            left = round(sum(found.get(name, 0) for name in names))
            if not left:
                return 0
            await asyncio.sleep(1)
        return left


@dataclass
class Answers:
    """`alone`: tokens by revision and number of the prompt. `differing`: (revision, prompt's number, tokens)."""

    server: Server
    prompts: list[str]
    alone: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    differing: list[_Given] = field(default_factory=list)
    same: int = 0
    _prompt_ids: dict[int, list[int]] = field(default_factory=dict)

    async def take(self, models: list[str]) -> None:
        """Ask every model every prompt, one after the other."""
        for number, model in enumerate(models):
            for index, prompt in enumerate(self.prompts):
                found = await self.server.ask(
                    model=model, prompt=prompt, max_tokens=TOKENS, ignore_eos=True, temperature=0
                )
                choice = found["choices"][0]
                self.alone[model, index] = tuple(choice["token_ids"])
                self._prompt_ids[index] = choice["prompt_token_ids"]
            if number % 10 == 9:
                say(f"{number + 1} of {len(models)}")

    def note(self, model: str, index: int, tokens: tuple[int, ...]) -> None:
        """A greedy answer, or its beginning, of the revision `model`."""
        if self.alone[model, index][: len(tokens)] == tokens:
            self.same += 1
        else:
            self.differing.append((model, index, tokens))

    async def judge(self) -> dict[str, Any]:
        """Read what differed, now that nothing else runs."""
        gaps = {one: await self._gap(*one) for one in _longest(self.differing)}
        right = [whole for whole, gap in gaps.items() if gap <= ROUNDING]
        wrong = [one for one in self.differing if not any(_begins(one, whole) for whole in right)]
        for model, index, tokens in wrong[:10]:
            others = [m for (m, i), alone in self.alone.items() if i == index and alone[: len(tokens)] == tokens]
            say(f"wrong: {model}, prompt {index}; the answer of {others or 'no revision taken alone'}")
        return {
            "greedy": self.same + len(self.differing),
            "same": self.same,
            "rounding": len(self.differing) - len(wrong),
            "wrong": len(wrong),
            "largest_gap": round(max(gaps.values(), default=0.0), 3),
            "allowed_gap": ROUNDING,
            "told_apart": round(self._told_apart(), 4),
            "mixed_up_seen": await self._mixed_up(),
        }

    async def _gap(self, model: str, index: int, tokens: tuple[int, ...]) -> float:
        """How far the answer's least likely token is behind the best one there, in log-probability."""
        prompt = [*self._prompt_ids[index], *tokens]
        found = await self.server.ask(model=model, prompt=prompt, max_tokens=1, temperature=0, prompt_logprobs=1)
        places = found["choices"][0]["prompt_logprobs"][-len(tokens) :]
        behind = [
            max(entry["logprob"] for entry in place.values()) - place[str(token)]["logprob"]
            for place, token in zip(places, tokens, strict=True)
        ]
        return max(map(float, behind))

    async def _mixed_up(self) -> float:
        """Of answers that are read by a revision that did not give them, the share that is called wrong."""
        places = list(self.alone)
        pairs = [
            (a, b) for a, b in zip(places, places[len(self.prompts) :], strict=False) if self.alone[a] != self.alone[b]
        ]
        chosen = pairs[:: max(1, len(pairs) // _MIXED_UP)][:_MIXED_UP]
        gaps = [await self._gap(model, index, self.alone[other]) for (model, index), other in chosen]
        return round(sum(gap > ROUNDING for gap in gaps) / max(1, len(gaps)), 4)

    def _told_apart(self) -> float:
        """Share of the pairs of models whose answers to a prompt differ: a mix-up of these would be seen."""
        pairs = [
            one != other
            for index in range(len(self.prompts))
            for one, other in itertools.combinations([a for (_, i), a in self.alone.items() if i == index], 2)
        ]
        return sum(pairs) / len(pairs) if pairs else 0.0


def _begins(one: _Given, whole: _Given) -> bool:
    return one[:2] == whole[:2] and whole[2][: len(one[2])] == one[2]


def _longest(given: list[_Given]) -> list[_Given]:
    """Each answer once, without those that are another's beginning."""
    ordered = sorted(set(given))
    return [
        one for one, after in itertools.zip_longest(ordered, ordered[1:]) if after is None or not _begins(one, after)
    ]
