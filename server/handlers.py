"""Errors to answers: OpenAI's shape, one sentence, nothing of the request's content in it."""

import logging
import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from adapters.registry.errors import RegistryError
from server.errors import ServerError, error_body, from_registry

UNEXPECTED = "Something went wrong in this server."

log = logging.getLogger("server.errors")


def install_handlers(app: FastAPI) -> None:
    """After vLLM's own: its validation errors repeat what the caller sent."""
    app.add_exception_handler(ServerError, _server_error)
    app.add_exception_handler(RegistryError, _registry_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _server_error(request: Request, error: Any) -> JSONResponse:
    return JSONResponse(error.body(), error.status, error.headers)


async def _registry_error(request: Request, error: Any) -> JSONResponse:
    return await _server_error(request, from_registry(error))


async def _invalid(request: Request, error: Any) -> JSONResponse:
    """The first thing that is wrong, by its place. Custom messages may quote values: pydantic's own are shown."""
    first = error.errors()[0] if error.errors() else {}
    if not isinstance(first, dict):  # FastAPI's dependencies may raise it with a text alone
        first = {}
    place = ".".join(str(part) for part in first.get("loc", ()) if isinstance(part, str | int) and part != "body")
    quoting = str(first.get("type", "")) in {"value_error", "assertion_error", "json_invalid"}
    text = "is not valid" if quoting else str(first.get("msg", "is not valid"))
    if first.get("type") == "json_invalid":
        place, text = "", "The body is not JSON"
    message = f"{place}: {text}." if place else f"{text}."
    return JSONResponse(error_body(message, "invalid_request_error", "invalid_request", place or None), 400)


async def _http(request: Request, error: Any) -> JSONResponse:
    kind = "invalid_request_error" if error.status_code < 500 else "internal_server_error"
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return JSONResponse(error_body(str(error.detail), kind, code), error.status_code, error.headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log_unexpected(error)
    return JSONResponse(error_body(UNEXPECTED, "internal_server_error", "internal_error"), 500)


def log_unexpected(error: Exception) -> None:
    """By its type and place alone: the text of an exception may hold anything."""
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{Path(frame[0].filename).name}:{frame[0].lineno}" if frame else "?"
    log.error("unexpected %s in %s", type(error).__name__, where)
