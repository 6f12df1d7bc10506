"""The model server over HTTP: completions and the list of models. Its failures become errors of this package."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocr_frontend.breaker import Breaker
from ocr_frontend.errors import (
    Busy,
    DeadlineExceeded,
    FrontError,
    ModelServerAway,
    ModelServerRefuses,
    UnknownModel,
    Unprocessable,
)

_LIST_SECONDS = 5.0


class Usage(BaseModel):
    """Tokens that the server counted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Choice(BaseModel):
    text: str
    finish_reason: str | None = None


class _Reply(BaseModel):
    model: str
    choices: list[_Choice] = Field(min_length=1)
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Completion:
    """`model` is the exact revision that answered; `complete` is false when the token limit cut the text."""

    text: str
    model: str
    complete: bool
    usage: Usage


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
    ) -> None:
        self._http, self._seconds, self._logprobs = http, seconds, logprobs
        self._breaker, self._retry_seconds = breaker or Breaker(0, 0), retry_seconds
        self.retries = 0

    async def complete(self, model: str, prompt: str, max_tokens: int, regex: str) -> Completion:
        """Greedy completion held to `regex`.

        Raises UnknownModel (404), Unprocessable (400), Busy (429), ModelServerAway (away, 5xx), DeadlineExceeded.
        """
        body: dict[str, Any] = {
            "model": model,
            "prompt": prompt,
            "max_tokens": max_tokens,
            "temperature": 0,
            "structured_outputs": {"regex": regex},
        }
        if self._logprobs is not None:
            body["logprobs"] = self._logprobs
        try:
            reply = _Reply.model_validate(await self._send("POST", "/v1/completions", self._seconds, body))
        except ValidationError:
            raise ModelServerRefuses("The model server's answer cannot be read.") from None
        choice = reply.choices[0]
        return Completion(choice.text, reply.model, choice.finish_reason != "length", reply.usage)

    async def models(self) -> Any:
        """The body of `/v1/models`. Raises ModelServerAway or DeadlineExceeded."""
        return await self._send("GET", "/v1/models", _LIST_SECONDS)

    async def ready(self) -> bool:
        """Whether the server says that it can answer now; a plain vLLM only has `/health`."""
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                response = await self._http.get("/ready")
                if response.status_code == httpx.codes.NOT_FOUND:
                    response = await self._http.get("/health")
            return response.is_success
        except (httpx.HTTPError, TimeoutError):
            return False

    async def _send(self, method: str, path: str, seconds: float, body: Any = None) -> Any:
        """Once, and once more when the server is away (docs/decisions/0006), within one deadline."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        try:
            return await self._once(method, path, seconds, body)
        except ModelServerRefuses:
            raise
        except ModelServerAway:
            pause = (self._retry_seconds or 0) * random.uniform(1, 2)
            if self._retry_seconds is None or self._breaker.open or loop.time() + pause >= ends:
                raise
        await asyncio.sleep(pause)
        self.retries += 1
        return await self._once(method, path, ends - loop.time(), body)

    async def _once(self, method: str, path: str, seconds: float, body: Any) -> Any:
        with self._breaker.call():
            return await self._ask(method, path, seconds, body)

    async def _ask(self, method: str, path: str, seconds: float, body: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):
                response = await self._http.request(method, path, json=body)
        except httpx.ConnectTimeout:
            raise ModelServerAway("The model server cannot be reached.") from None
        except (TimeoutError, httpx.TimeoutException):
            raise DeadlineExceeded(f"The model server did not answer within {seconds:.3g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ModelServerAway("The model server cannot be reached.") from None
        if not response.is_success:
            raise _refusal(response.status_code)
        try:
            return response.json()
        except ValueError:
            raise ModelServerRefuses("The model server's answer cannot be read.") from None


def _refusal(status: int) -> FrontError:
    """The server's own message may quote the prompt: it stays here."""
    if status == httpx.codes.NOT_FOUND:
        return UnknownModel("The model server does not serve a model of that name.")
    if status in (httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.UNPROCESSABLE_ENTITY):
        return Unprocessable("The model server refused the prompt; the card may hold too much text for the model.")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Busy("The model server is busy.")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return ModelServerRefuses("The model server does not accept this service's key.")
    if status == httpx.codes.GATEWAY_TIMEOUT:
        return DeadlineExceeded("The model server's own deadline passed.")
    return ModelServerAway(f"The model server answered with status {status}.")
