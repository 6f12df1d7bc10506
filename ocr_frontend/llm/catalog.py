"""What the model server serves, asked for at most every few seconds, and which prompt each model wants."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocr_frontend.errors import ModelServerAway, UnknownModel, Unprocessable
from ocr_frontend.llm.client import ModelServer
from ocr_frontend.llm.prompt import BUILT_IN, Contract


class ModelCard(BaseModel):
    """One entry of `/v1/models`. `prompt` is the contract as sent; a base model has none, and no `parent`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    parent: str | None = None
    prompt: dict[str, Any] | None = Field(default=None, repr=False)
    prompt_sha256: str | None = None

    @property
    def has_adapter(self) -> bool:
        """Whether this is an adapter (alias or revision) rather than a base model."""
        return self.parent is not None or self.prompt is not None

    def contract(self) -> Contract:
        """Raises Unprocessable when the card carries one that cannot be read."""
        if self.prompt is None:
            return BUILT_IN
        try:
            return Contract.model_validate(self.prompt)
        except ValidationError:
            raise Unprocessable("The model's prompt contract cannot be read.") from None


class _List(BaseModel):
    data: list[ModelCard]


class Catalog:
    """The model server's list, cached. Many callers at once cost one request."""

    def __init__(self, server: ModelServer, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._server, self._seconds, self._clock = server, seconds, clock
        self._lock = asyncio.Lock()
        self._cards: dict[str, ModelCard] = {}
        self._until = float("-inf")

    async def cards(self, must: bool = False) -> dict[str, ModelCard]:
        """By id, in the server's order. `must`: the last list does not do while the server is away.

        Raises ModelServerAway or DeadlineExceeded.
        """
        async with self._lock:
            if self._clock() >= self._until:
                await self._ask(must=must)
            return self._cards

    async def _ask(self, must: bool) -> None:
        try:
            listed = _List.model_validate(await self._server.models())
            self._cards = {card.id: card for card in listed.data}
        except ValidationError:
            raise ModelServerAway("The model server's list of models cannot be read.") from None
        except ModelServerAway:
            # Behind a router the list may be asked of the one server that is away, while others answer.
            if must or not self._cards:
                raise
        self._until = self._clock() + self._seconds

    def forget(self) -> None:
        """Ask again at the next call."""
        self._until = float("-inf")

    async def find(self, name: str) -> ModelCard:
        """Raises UnknownModel. A name that is not there yet is asked for afresh, so a new adapter is found at once."""
        cards = await self.cards()
        if name not in cards:
            self.forget()
            cards = await self.cards(must=True)
        try:
            return cards[name]
        except KeyError:
            raise UnknownModel("The model server does not serve a model of that name.") from None
