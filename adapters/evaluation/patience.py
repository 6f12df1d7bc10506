"""Asking again: a service that is busy, or away for a moment, does not end an evaluation of an hour."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

INVALID = "invalid_answer"
"""The front's code for an answer of the model that has not the form asked for: final, though its status is 502."""

_BUSY, _LOST = {429, 503}, {502, 504}
_BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)
_UNSAID = 1.0  # seconds, where a busy service does not say when to come back


@dataclass(frozen=True)
class Patience:
    """With one question. `busy`: so many seconds in all, `longest` at a time, `tries` at most, while a service says
    that it is busy; `losses`: the pauses after a connection that broke off, or a gateway that lost the answer.
    """

    busy: float = 300
    longest: float = 60
    tries: int = 60
    losses: tuple[float, ...] = (1, 2, 4, 8)


PATIENCE = Patience()


async def patiently(send: Callable[[], Awaitable[httpx.Response]], patience: Patience = PATIENCE) -> httpx.Response:
    """The last answer of `send`, asked again as long as that may help. Raises httpx.HTTPError."""
    question = _Question(patience)
    while True:
        try:
            reply = await send()
        except _BROKEN:
            pause = question.after_loss()
            if pause is None:
                raise
        else:
            pause = question.after(reply)
            if pause is None:
                return reply
        await asyncio.sleep(pause)


def patiently_here(send: Callable[[], httpx.Response], patience: Patience = PATIENCE) -> httpx.Response:
    """`patiently`, without an event loop."""
    question = _Question(patience)
    while True:
        try:
            reply = send()
        except _BROKEN:
            pause = question.after_loss()
            if pause is None:
                raise
        else:
            pause = question.after(reply)
            if pause is None:
                return reply
        time.sleep(pause)


def error_code(reply: httpx.Response) -> str:
    """The stable code of an error body; empty where a proxy answered something else."""
    try:
        return str(reply.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


class _Question:
    """How often one was asked, and how long it has waited."""

    def __init__(self, patience: Patience) -> None:
        self._patience, self._tries, self._waited, self._losses = patience, 0, 0.0, iter(patience.losses)

    def after(self, reply: httpx.Response) -> float | None:
        """Seconds until the next try; None: this is the answer."""
        if reply.status_code in _LOST and error_code(reply) != INVALID:
            return self.after_loss()
        if reply.status_code not in _BUSY:
            return None
        said = reply.headers.get("retry-after", "")
        pause = min(float(said) if said.isdigit() else _UNSAID, self._patience.longest)
        self._tries, self._waited = self._tries + 1, self._waited + pause
        return None if self._tries > self._patience.tries or self._waited > self._patience.busy else pause

    def after_loss(self) -> float | None:
        """The same."""
        return next(self._losses, None)
