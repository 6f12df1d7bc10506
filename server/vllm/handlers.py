"""vLLM's exceptions to answers, in place of its own handlers, which repeat what the caller sent."""

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response
from vllm.exceptions import GracefulHTTPError, VLLMClientError

from server.admission.account import current
from server.errors import BadRequest, ServerError, Unavailable
from server.handlers import UNEXPECTED, log_unexpected
from server.vllm.engine_errors import plain_sentence


def install_engine_handlers(app: FastAPI) -> None:
    """After vLLM's own, for the classes that it registers one by one."""
    app.add_exception_handler(GracefulHTTPError, _busy)
    for kind in (VLLMClientError, ValueError, TypeError, OverflowError, NotImplementedError):
        app.add_exception_handler(kind, _refused)


def in_our_words(answer: Response) -> Response:
    """An error that vLLM answers by itself, with our sentence in it; anything else as it is."""
    if answer.status_code < 400 or not isinstance(answer, JSONResponse):
        return answer
    try:
        text = str(json.loads(bytes(answer.body))["error"]["message"])
    except (ValueError, KeyError, TypeError):
        text = ""
    if answer.status_code >= 500:
        return _shown(ServerError(UNEXPECTED) if answer.status_code == 500 else Unavailable("Not now.", 5))
    return _shown(BadRequest(plain_sentence(text), code="invalid_request"))


async def _busy(request: Request, error: Any) -> JSONResponse:
    return _shown(Unavailable("This server is busy.", 5))


async def _refused(request: Request, error: Exception) -> JSONResponse:
    account = current.get()
    if account is not None and account.failed:
        log_unexpected(error)
        return _shown(ServerError(UNEXPECTED))
    return _shown(BadRequest(plain_sentence(error), code="invalid_request"))


def _shown(error: ServerError) -> JSONResponse:
    return JSONResponse(error.body(), error.status, error.headers)
