"""Completions and chat: vLLM's own handlers, asked for one exact revision."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from vllm.entrypoints.openai.chat_completion.api_router import create_chat_completion
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.api_router import create_completion
from vllm.entrypoints.openai.completion.protocol import CompletionRequest

from server.context import context_of
from server.routes.answering import prepare
from server.routes.bodies import read_object
from server.structured.check import check_body
from server.vllm.bodies import fill
from server.vllm.handlers import in_our_words
from server.vllm.streaming import begun

router = APIRouter()


@router.post("/v1/completions")
async def completions(raw_request: Request) -> Response:
    """OpenAI's completions; the answer's `model` is the exact revision."""
    return await _answer(raw_request, CompletionRequest, create_completion)


@router.post("/v1/chat/completions")
async def chat(raw_request: Request) -> Response:
    """OpenAI's chat completions; the answer's `model` is the exact revision."""
    return await _answer(raw_request, ChatCompletionRequest, create_chat_completion)


async def _answer(request: Request, kind: Any, create: Callable[[Any, Request], Awaitable[Response]]) -> Response:
    data = await read_object(request)
    body = fill(kind, data)
    check_body(data)
    await prepare(context_of(request), request, body)
    return in_our_words(await begun(await create(body, request), request))
