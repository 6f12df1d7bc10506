"""`GET /dashboard`, the files that it loads, and its data: this service's metrics and the model server's."""

from typing import Any

import httpx
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ocr_frontend.api.routes.dependencies import has_scope, may_see_metrics
from ocr_frontend.api.service import Service
from ocr_frontend.errors import NotFound
from ocr_frontend.web import dashboard
from ocr_frontend.web.dashboard.snapshot import of_front, of_server

_SECONDS = 5.0

router = APIRouter(include_in_schema=False)


@router.get("/dashboard")
async def page() -> Response:
    """The page."""
    return _part("index.html")


@router.get("/dashboard/data", dependencies=[Depends(may_see_metrics)])
async def data(request: Request) -> dict[str, Any]:
    """Both services' numbers; `server` is null while its metrics cannot be had, and `server_state` says why."""
    service: Service = request.app.state.service
    front = of_front(service.metrics.registry.collect())
    # What the server shows to a key of ours alone is shown here to such a key alone.
    guarded = service.settings.server_metrics_key is not None and not has_scope(request, service, "metrics")
    state, text = ("guarded", "") if guarded else await _server_page(service)
    try:
        server = await run_in_threadpool(of_server, text) if text else None
    except ValueError:
        state, server = "unreadable", None
    return {"front": front, "server": server, "server_state": state}


@router.get("/dashboard/{name}")
async def part(name: str) -> Response:
    """A script or a style sheet."""
    return _part(name)


def _part(name: str) -> Response:
    try:
        text, media = dashboard.parts()[name]
    except KeyError:
        raise NotFound("There is no such route.") from None
    return Response(text, media_type=media, headers=dashboard.HEADERS)


async def _server_page(service: Service) -> tuple[str, str]:
    """`ok`, `away` or `refused` (its metrics take a key that this front was not given), and the page."""
    key = service.settings.server_metrics_key
    headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
    try:
        answer = await service.http.get("/metrics", headers=headers, timeout=_SECONDS)
    except httpx.HTTPError:
        return "away", ""
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return "refused", ""
    return ("ok", answer.text) if answer.is_success else ("away", "")
