"""What needs no key: health, readiness, metrics (unless a key guards them), and the page."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ocr_frontend import web
from ocr_frontend.api.openapi import ERRORS
from ocr_frontend.api.routes.dependencies import Front, may_see_metrics
from ocr_frontend.errors import ModelServerAway, NotFound

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/ready", responses=ERRORS)
async def ready(service: Front) -> dict[str, str]:
    """A card can be answered now: the OCR is loaded and the model server is ready."""
    service.pool.require_ready()
    if not await service.server.ready():
        raise ModelServerAway("The model server is not ready.")
    return {"status": "ready"}


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
