"""Completions and chat: vLLM's own handlers, asked for one exact revision."""

from fastapi import APIRouter, Depends, Request, Response
from vllm.entrypoints.openai.chat_completion.api_router import create_chat_completion
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.api_router import create_completion
from vllm.entrypoints.openai.completion.protocol import CompletionRequest
from vllm.entrypoints.serve.utils.api_utils import validate_json_request

from server.context import context_of
from server.routes.answering import prepare

router = APIRouter()


@router.post("/v1/completions", dependencies=[Depends(validate_json_request)])
async def completions(body: CompletionRequest, raw_request: Request) -> Response:
    """OpenAI's completions; the answer's `model` is the exact revision."""
    await prepare(context_of(raw_request), raw_request, body)
    answer: Response = await create_completion(body, raw_request)
    return answer


@router.post("/v1/chat/completions", dependencies=[Depends(validate_json_request)])
async def chat(body: ChatCompletionRequest, raw_request: Request) -> Response:
    """OpenAI's chat completions; the answer's `model` is the exact revision."""
    await prepare(context_of(raw_request), raw_request, body)
    answer: Response = await create_chat_completion(body, raw_request)
    return answer
