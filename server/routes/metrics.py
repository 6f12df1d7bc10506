"""Prometheus text: vLLM's metrics and ours, in one."""

import asyncio
import logging

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool

from server.context import Context, context_of

router = APIRouter()
log = logging.getLogger("server")
# An engine in the middle of a long prompt answers late: then the slots are as they were at the last look.
_ENGINE_SECONDS = 1.0


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """All of them."""
    registry: CollectorRegistry = request.app.state.cni_registry
    await _look(context_of(request))
    return Response(await run_in_threadpool(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)


async def _look(context: Context) -> None:
    try:
        async with asyncio.timeout(_ENGINE_SECONDS):
            context.collector.slots = await context.plane.look_at_slots()
    except Exception as error:
        log.debug("the engine does not say what is in its slots: %s", type(error).__name__)
