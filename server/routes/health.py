"""Alive, ready, version."""

import importlib.metadata

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from server.context import context_of
from server.errors import Unavailable
from server.vllm import release

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> Response:
    """200 while the engine lives."""
    client = context_of(request).engine_client
    if client.errored:
        raise Unavailable("The engine has stopped.", 30)
    return JSONResponse({"status": "ok"})


@router.get("/ready")
async def ready(request: Request) -> Response:
    """200 when a request would be answered now."""
    context = context_of(request)
    if context.gate.draining:
        raise Unavailable("This server is stopping.", 5)
    if not context.ready and context.plane.trouble:
        raise Unavailable(f"The adapter registry cannot be read: {context.plane.trouble}", 5)
    if not context.ready or context.engine_client.errored:
        raise Unavailable("The adapters are being loaded.", 1)
    return JSONResponse({"status": "ready", "lora": dict(context.lora)})


@router.get("/version")
async def version() -> Response:
    """Our version and vLLM's."""
    return JSONResponse({"version": importlib.metadata.version("cni-lora-server"), "vllm": release.version()})
