"""The model server as this package sees it: completions, the list of models, and what we thought of its answers."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocr_frontend.errors import ModelServerRefuses
from ocr_frontend.llm.breaker import Breaker
from ocr_frontend.llm.transport import Transport

_LIST_SECONDS = 5.0
_READY_SECONDS = 1.5  # less than a probe waits
PROMPT_HEADER = "X-Prompt-Sha256"
# Behind a router: one model's requests meet on the few servers that hold its adapter (docs/decisions/0014).
PLACEMENT_HEADER = "X-Session-ID"


class Usage(BaseModel):
    """Tokens that the server counted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Tokens(BaseModel):
    """The answer's tokens as text, and the logarithm of the probability that the model gave each of them.

    The server holds the answer to its form before it takes the probabilities (vLLM 0.32 masks the logits, then the
    sampler sees them), so they are shares of what the form allows: a token without a choice has 0.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    tokens: list[str] = []
    token_logprobs: list[float | None] = []


class _Choice(BaseModel):
    text: str
    finish_reason: str | None = None
    logprobs: Tokens | None = None


class _Reply(BaseModel):
    id: str = ""
    model: str
    choices: list[_Choice] = Field(min_length=1)
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Completion:
    """`model` is the exact revision that answered; `complete` is false when the token limit cut the text.

    `place` is where a router was told to send the request: a report of the answer has to meet the same server.
    `id` is the answer's own, by which a report names it.
    """

    text: str
    model: str
    complete: bool
    usage: Usage
    tokens: Tokens | None = None
    place: str = ""
    id: str = ""


class ModelServer:
    """An OpenAI-compatible server. Cancelling a call closes its connection, and with it the server's work on it."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        seconds: float,
        logprobs: int | None = None,
        *,
        breaker: Breaker | None = None,
        retry_seconds: float | None = None,
        places: int = 1,
    ) -> None:
        self._places = places
        self._transport, self._seconds, self._logprobs = Transport(http, breaker, retry_seconds), seconds, logprobs

    @property
    def retries(self) -> int:
        """Calls repeated because the server was away."""
        return self._transport.retries

    async def complete(
        self,
        model: str,
        prompt: str,
        max_tokens: int,
        regex: str,
        prompt_sha256: str | None = None,
        *,
        sampling: Mapping[str, float | int] = MappingProxyType({"temperature": 0}),
        stop: Sequence[str] = (),
    ) -> Completion:
        """A completion held to `regex`. `prompt_sha256`: of the contract that the prompt was made by.

        Raises UnknownModel, PromptChanged (another contract now), and what `Transport.send` raises.
        """
        body: dict[str, Any] = {
            "model": model,
            "prompt": prompt,
            "max_tokens": max_tokens,
            **sampling,
            "structured_outputs": {"regex": regex},
        }
        if stop:
            body["stop"] = list(stop)
        if self._logprobs is not None:
            body["logprobs"] = self._logprobs
        place = f"{quote(model)}.{random.randrange(self._places)}"
        headers = {PLACEMENT_HEADER: place}
        if prompt_sha256:
            headers[PROMPT_HEADER] = prompt_sha256
        answered = await self._transport.send("POST", "/v1/completions", self._seconds, body, headers)
        try:
            reply = _Reply.model_validate(answered)
        except ValidationError:
            raise ModelServerRefuses("The model server's answer cannot be read.") from None
        choice = reply.choices[0]
        complete = choice.finish_reason != "length"
        return Completion(choice.text, reply.model, complete, reply.usage, choice.logprobs, place, reply.id)

    async def models(self) -> Any:
        """The body of `/v1/models`. Raises ModelServerAway or DeadlineExceeded."""
        return await self._transport.send("GET", "/v1/models", _LIST_SECONDS)

    async def report_invalid(self, completion: Completion) -> None:
        """Tell the server that an answer was none. A plain vLLM does not listen; nothing depends on it."""
        body = {"model": completion.model, "outcome": "invalid_json"}
        if completion.id:
            body["request_id"] = completion.id[:160]
        await self._transport.tell("/v1/feedback", _LIST_SECONDS, body, {PLACEMENT_HEADER: completion.place})

    async def ready(self) -> bool:
        """Whether the server says that it can answer now; a plain vLLM only has `/health`."""
        status = await self._transport.alive("/ready", _READY_SECONDS)
        if status == httpx.codes.NOT_FOUND:
            status = await self._transport.alive("/health", _READY_SECONDS)
        return status is not None and httpx.codes.is_success(status)
