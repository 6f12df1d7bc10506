"""A stream whose first part is waited for: what the engine refuses is then a status, not a line after a 200."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.responses import Response, StreamingResponse

from server.routes.waiting import unless_gone
from server.streams import STREAM_ERROR


async def begun(answer: Response, request: Request) -> Response:
    """`answer` once its stream has begun; an error in the first part becomes an answer of its own status."""
    if not isinstance(answer, StreamingResponse):
        return answer
    parts: AsyncIterator[Any] = aiter(answer.body_iterator)
    first = await unless_gone(request, anext(parts, None))
    if first is None:
        return answer
    raw = first.encode() if isinstance(first, str) else bytes(first)
    if raw.startswith(STREAM_ERROR):
        error = _error(raw)
        code = error["error"].get("code")
        return JSONResponse(error, code if isinstance(code, int) and 400 <= code < 600 else 500)
    answer.body_iterator = _joined(first, parts)
    return answer


def _error(raw: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(raw.removeprefix(b"data: ").partition(b"\n")[0])
        return found if isinstance(found.get("error"), dict) else {"error": {}}
    except ValueError:
        return {"error": {}}


async def _joined(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    try:
        yield first
        async for part in rest:
            yield part
    finally:
        close = getattr(rest, "aclose", None)
        if close is not None:
            await close()
