"""Completions and chat: vLLM's own handlers, asked for one exact revision."""

from fastapi import APIRouter, Request, Response
from vllm.entrypoints.openai.chat_completion.api_router import create_chat_completion
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.api_router import create_completion
from vllm.entrypoints.openai.completion.protocol import CompletionRequest

from server.context import context_of
from server.routes.answering import prepare
from server.routes.bodies import read_object
from server.vllm.bodies import fill
from server.vllm.handlers import in_our_words

router = APIRouter()


@router.post("/v1/completions")
async def completions(raw_request: Request) -> Response:
    """OpenAI's completions; the answer's `model` is the exact revision."""
    body = fill(CompletionRequest, await read_object(raw_request))
    await prepare(context_of(raw_request), raw_request, body)
    return in_our_words(await create_completion(body, raw_request))


@router.post("/v1/chat/completions")
async def chat(raw_request: Request) -> Response:
    """OpenAI's chat completions; the answer's `model` is the exact revision."""
    body = fill(ChatCompletionRequest, await read_object(raw_request))
    await prepare(context_of(raw_request), raw_request, body)
    return in_our_words(await create_chat_completion(body, raw_request))
