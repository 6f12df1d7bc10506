"""Requests of two documents as the front makes them, and a server that answers them so many at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapters.data.given.sources import read_examples
from adapters.registry.manifest import PromptContract
from adapters.training.contract import render, visible
from benchmarks.harness import line_answers
from benchmarks.harness.recorded_cards import recorded_cards
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import DocumentSpec, parse_spec

_MOST_LINES = 100  # the front's OCR_FRONT_MAX_LINES
_JOINED = (3, 5)  # lines of one value: at least and at most, whatever its document says


@dataclass(frozen=True)
class Body:
    """One request; `name` is its own."""

    name: str
    content: dict[str, Any]


@dataclass
class Run:
    """Seconds until all were answered; each answer's tokens by its request's name."""

    seconds: float = 0
    prompt_tokens: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)

    def differing(self, others: Mapping[str, list[str]]) -> int:
        """How many of its answers are not, token by token, the others' of the same name."""
        return sum(others[name] != answer for name, answer in self.answers.items())


class Server:
    """`at_once`: requests that it has at any moment."""

    def __init__(self, url: str, at_once: int) -> None:
        limits = httpx.Limits(max_connections=at_once)
        self._client, self._at_once = httpx.Client(base_url=url, timeout=1800, limits=limits), at_once
        self._cards = self._client.get("/v1/models").raise_for_status().json()["data"]
        self._revisions: set[str] = set()

    @property
    def revisions(self) -> list[str]:
        """Those that have answered."""
        return sorted(self._revisions)

    def contract(self, model: str) -> PromptContract:
        """Raises RuntimeError where the adapter is not served."""
        found = [card["prompt"] for card in self._cards if card["id"] == model and card.get("prompt")]
        if not found:
            raise RuntimeError(f"The registry serves no {model}: name another one with --registry.")
        return PromptContract.model_validate(found[0])

    def run(self, bodies: Sequence[Body], salt: str) -> Run:
        """`salt`: of the prefix cache, in which nothing of another salt is found."""
        done = Run()

        def ask(body: Body) -> tuple[str, dict[str, Any]]:
            reply = self._client.post("/v1/completions", json=body.content | {"cache_salt": salt})
            return body.name, reply.raise_for_status().json()

        with ThreadPoolExecutor(self._at_once) as pool:
            begun = time.perf_counter()
            answered = list(pool.map(ask, bodies))
            done.seconds = time.perf_counter() - begun
        for name, answer in answered:
            done.answers[name] = list(answer["choices"][0]["logprobs"]["tokens"])
            done.prompt_tokens += int(answer["usage"]["prompt_tokens"])
            self._revisions.add(str(answer["model"]))
        return done


def cards(contract: PromptContract) -> list[Body]:
    """Of the recorded lines."""
    specs = builtin().readable
    return [
        _body("cni", f"card {number}", contract, specs[row["document"]], row["lines"])
        for number, row in enumerate(recorded_cards())
    ]


def receipts(contract: PromptContract, data: Path) -> list[Body]:
    """Of the lines below `data`/receipts. Raises RuntimeError where the contract brings no document of its own."""
    brought = [prompt.spec for prompt in contract.documents.values() if prompt.spec is not None]
    if len(brought) != 1:
        raise RuntimeError("The served receipt does not bring its document: train it with receipt.yaml.")
    spec = parse_spec(brought[0])
    return [
        _body("receipt", f"receipt {each.name}", contract, spec, lines)
        for each in read_examples(data / "receipts", spec)
        if (lines := list(_shown(line.text for line in each.lines)))
    ]


def _shown(texts: Iterator[str]) -> Iterator[str]:
    yield from (text for each in texts if (text := visible(each)))


def _body(model: str, name: str, contract: PromptContract, spec: DocumentSpec, lines: Sequence[str]) -> Body:
    least, most = _JOINED
    shown = lines[:_MOST_LINES]
    joined = [min(most, max(least, each.max_lines)) for each in spec.fields]
    return Body(
        name,
        {
            "model": model,
            "prompt": render(contract, spec.name, shown),
            "structured_outputs": {"regex": line_answers.form(joined, len(shown))},
            "temperature": 0,
            "max_tokens": 24 * len(joined) + 32,
            "logprobs": 0,
        },
    )
