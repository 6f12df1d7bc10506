"""The model server over HTTP: completions and the list of models. Its failures become errors of this package."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocr_frontend.errors import Busy, DeadlineExceeded, FrontError, ModelServerAway, UnknownModel, Unprocessable

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

    def __init__(self, http: httpx.AsyncClient, seconds: float, logprobs: int | None = None) -> None:
        self._http, self._seconds, self._logprobs = http, seconds, logprobs

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
            raise ModelServerAway("The model server's answer cannot be read.") from None
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
        try:
            async with asyncio.timeout(seconds):
                response = await self._http.request(method, path, json=body)
        except httpx.ConnectTimeout:
            raise ModelServerAway("The model server cannot be reached.") from None
        except (TimeoutError, httpx.TimeoutException):
            raise DeadlineExceeded(f"The model server did not answer within {seconds:g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ModelServerAway("The model server cannot be reached.") from None
        if not response.is_success:
            raise _refusal(response.status_code)
        try:
            return response.json()
        except ValueError:
            raise ModelServerAway("The model server's answer cannot be read.") from None


def _refusal(status: int) -> FrontError:
    """The server's own message may quote the prompt: it stays here."""
    if status == httpx.codes.NOT_FOUND:
        return UnknownModel("The model server does not serve a model of that name.")
    if status in (httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.UNPROCESSABLE_ENTITY):
        return Unprocessable("The model server refused the prompt; the card may hold too much text for the model.")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Busy("The model server is busy.")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return ModelServerAway("The model server does not accept this service's key.")
    if status == httpx.codes.GATEWAY_TIMEOUT:
        return DeadlineExceeded("The model server's own deadline passed.")
    return ModelServerAway(f"The model server answered with status {status}.")
