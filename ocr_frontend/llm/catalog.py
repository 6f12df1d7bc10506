"""What the model server serves, asked for at most every few seconds, and which prompt each model wants."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocr_frontend.auth.work import Work, working
from ocr_frontend.errors import ModelServerAway, UnknownModel, Unprocessable
from ocr_frontend.llm.client import ModelServer
from ocr_frontend.llm.contract import Contract

_PATIENCE = 0.5  # seconds that a caller waits for a new list where the last one serves
_UNKNOWN_SECONDS = 1.0  # that a name stays unknown, at least
_MOST_UNKNOWN = 1000  # names


class ModelCard(BaseModel):
    """One entry of `/v1/models`. `prompt` is the contract as sent; a base model has none, and no `parent`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    parent: str | None = None
    prompt: dict[str, Any] | None = Field(default=None, repr=False)
    prompt_sha256: str | None = None
    calibration: dict[str, Any] | None = Field(default=None, repr=False)

    @property
    def has_adapter(self) -> bool:
        """Whether this is an adapter (alias or revision) rather than a base model."""
        return self.parent is not None or self.prompt is not None

    @cached_property
    def contract_key(self) -> str:
        """The same for cards whose contracts are the same."""
        return json.dumps(self.prompt, sort_keys=True)

    def contract(self) -> Contract | None:
        """None where the card carries none. Raises Unprocessable when it carries one that cannot be read."""
        if self.prompt is None:
            return None
        try:
            return Contract.model_validate(self.prompt)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            why = first["msg"].removeprefix("Value error, ")
            raise Unprocessable(f"The prompt contract of the model {self.id} cannot be read: {place}: {why}.") from None


class _List(BaseModel):
    data: list[dict[str, Any]]


class Catalog:
    """The model server's list, cached. One call at a time asks for it; while it does, the last list serves."""

    def __init__(self, server: ModelServer, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._server, self._seconds, self._clock = server, seconds, clock
        self._cards: dict[str, ModelCard] = {}
        self._until = float("-inf")
        self._refresh: asyncio.Task[None] | None = None
        self._unknown: dict[str, float] = {}
        self._old = False  # a prompt has changed: the last list is known to be wrong

    async def cards(self, must: bool = False) -> dict[str, ModelCard]:
        """By id, in the server's order. `must`: only a list that is asked for now.

        Raises ModelServerAway or DeadlineExceeded, where there is no list that serves.
        """
        if self._cards and not must and not self._old and self._clock() < self._until:
            return self._cards
        task = self._asking()
        if must or self._old or not self._cards:
            await asyncio.shield(task)
            return self._cards
        # Behind a router the list may be asked of the one server that is away or hangs, while others answer.
        await asyncio.wait((task,), timeout=_PATIENCE)
        return self._cards

    def _asking(self) -> "asyncio.Task[None]":
        """The one call that is on its way, or a new one."""
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.get_running_loop().create_task(self._ask())
            self._refresh.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._refresh

    async def _ask(self) -> None:
        try:
            with working(Work()):  # nobody's deadline: many wait for this call
                listed = _List.model_validate(await self._server.models())
            self._cards = _readable(listed.data, self._cards)
            self._old = False
            self._unknown.clear()
        except ValidationError:
            raise ModelServerAway("The model server's list of models cannot be read.") from None
        finally:
            self._until = self._clock() + self._seconds

    async def close(self) -> None:
        """End the call that is on its way."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.gather(self._refresh, return_exceptions=True)

    def forget(self) -> None:
        """The last list is wrong: ask again at the next call."""
        self._old = True

    async def find(self, name: str) -> ModelCard:
        """Raises UnknownModel. A name that is not there yet is asked for afresh, so a new adapter is found at once;
        one that nobody knew a moment ago is not asked for again."""
        cards = await self.cards()
        if name not in cards and self._clock() >= self._unknown.get(name, float("-inf")):
            cards = await self.cards(must=True)
            if name not in cards and len(self._unknown) < _MOST_UNKNOWN:
                self._unknown[name] = self._clock() + max(self._seconds, _UNKNOWN_SECONDS)
        try:
            return cards[name]
        except KeyError:
            raise UnknownModel("The model server does not serve a model of that name.") from None


def _readable(entries: list[dict[str, Any]], before: dict[str, ModelCard]) -> dict[str, ModelCard]:
    """By id. An entry without one is left out, and takes no other with it; what has not changed stays the same card."""
    cards = {}
    for entry in entries:
        with suppress(ValidationError):
            card = ModelCard.model_validate(entry)
            old = before.get(card.id)
            cards[card.id] = old if old == card else card
    return cards
