"""Prometheus text: vLLM's metrics and ours, in one."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool

router = APIRouter()


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """All of them."""
    registry: CollectorRegistry = request.app.state.cni_registry
    return Response(await run_in_threadpool(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)
