"""What the gate sees pass: the caller's body and its going away, the answer's status and end."""

from typing import Any

from fastapi import HTTPException
from starlette.types import Message, Receive, Send

from server.errors import TooLarge
from server.exchange import Exchange

MIB = 1 << 20
STREAM_ERROR = b'data: {"error"'
"""How vLLM begins a failure's line in a stream whose status went out long ago (held to it by a test)."""


def too_large(limit: int) -> str:
    """`limit`: bytes."""
    return f"The request is larger than {limit // MIB} MiB."


def counted(receive: Receive, limit: int, exchange: Exchange) -> Receive:
    """`receive` that stops a body larger than it may be, whatever its header claimed, and sees the caller go away."""
    seen = 0

    async def read() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.disconnect" and not exchange.complete:
            # vLLM answers such a request with 200 and nothing in it, to nobody.
            exchange.gone = True
        seen += len(message.get("body", b""))
        if seen > limit:
            # FastAPI lets only its own exception through while it reads a body.
            raise HTTPException(TooLarge.status, too_large(limit))
        return message

    return read


def watched(send: Send, exchange: Exchange) -> Send:
    """`send` that notes the status, and whether the answer went out completely."""

    async def write(message: Any) -> None:
        if message.get("body", b"").startswith(STREAM_ERROR):
            exchange.broken = True
        await send(message)
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            exchange.complete = True

    return write


def without_body(send: Send) -> Send:
    """`send` for a HEAD: the headers of a GET, and nothing after them."""

    async def write(message: Any) -> None:
        if message["type"] != "http.response.body":
            await send(message)
        elif not message.get("more_body", False):
            await send({"type": "http.response.body", "body": b""})

    return write
