"""What needs no key: health, readiness, metrics (unless a key guards them), and the page."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ocr_frontend import web
from ocr_frontend.api.openapi import ERRORS
from ocr_frontend.api.routes.dependencies import Front, may_see_metrics
from ocr_frontend.errors import NotFound, OcrUnavailable

router = APIRouter()


@router.get("/health")
async def health(service: Front) -> dict[str, str]:
    """The process is alive. 503 where so many OCR readers hang that it is better begun anew."""
    if not service.pool.alive:
        raise OcrUnavailable("Several OCR readers hang; the service is better begun anew.")
    return {"status": "ok"}


@router.get("/ready", responses=ERRORS)
async def ready(service: Front) -> dict[str, str]:
    """The OCR is loaded. That the model server is away does not end it: clients then get 503 and when to come back."""
    service.pool.require_ready()
    told = {"status": "ready", "model_server": "ready" if await service.presence.ready() else "away"}
    return told if service.corrections is None else told | {"answers": "kept"}  # the page says so


@router.get("/metrics")
async def metrics(service: Front, allowed: Annotated[None, Depends(may_see_metrics)]) -> Response:
    """Prometheus text."""
    return Response(service.metrics.render(), media_type=CONTENT_TYPE_LATEST)


@router.get("/", include_in_schema=False)
async def page() -> HTMLResponse:
    """The web page."""
    return HTMLResponse(web.page(), headers=web.HEADERS)


@router.get("/web/{name}", include_in_schema=False)
async def part(name: str) -> Response:
    """A script, a style sheet or the mark of the page."""
    if name not in web.parts():
        raise NotFound("The page has no such part.")
    text, media = web.parts()[name]
    return Response(text, media_type=media, headers=web.HEADERS)
