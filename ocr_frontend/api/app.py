"""The FastAPI app. OCR and HTTP client can be given, which is how tests run it without a model and a network."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from ocr_frontend.api.disconnect import ClientGone
from ocr_frontend.api.drain import Drain
from ocr_frontend.api.errors import error_response
from ocr_frontend.api.local_only import LocalOnly
from ocr_frontend.api.middleware import CLIENT_GONE, Boundary
from ocr_frontend.api.routes import ROUTERS, dashboard
from ocr_frontend.api.service import Service, build_service
from ocr_frontend.errors import BadRequest, FrontError, MethodNotAllowed, NotFound
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.settings import Settings

log = logging.getLogger("ocr_frontend")


def create_app(
    settings: Settings, *, ocr: Callable[[], Reader] | None = None, http: httpx.AsyncClient | None = None
) -> FastAPI:
    """The app of one settings object. `ocr` opens one reader; `http` is a client of the model server."""
    # Libraries that log what they are given: bytes of forms, addresses of callers.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    service = build_service(settings, ocr, http)
    # Swagger's page loads scripts from elsewhere, so there is only the description itself.
    app = FastAPI(title="CNI reader", version="1", docs_url=None, redoc_url=None, lifespan=_lifespan)
    app.state.service = service
    for router in (*ROUTERS, dashboard.router):
        app.include_router(router)
        service.metrics.expect(route.path for route in router.routes if isinstance(route, APIRoute))
    hosts = (settings.host, *settings.allowed_hosts)
    app.add_middleware(LocalOnly, active=lambda: service.ring.open, hosts=hosts)
    app.add_middleware(Drain, settings=settings)
    app.add_middleware(Boundary, metrics=service.metrics, access=service.access)

    async def on_front_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, FrontError)
        service.metrics.errors.labels(error.code).inc()
        return error_response(error, request.state.request_id)

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kinds: dict[int, FrontError] = {
            404: NotFound("There is no such route."),
            405: MethodNotAllowed("The route does not take this method."),
        }
        return await on_front_error(request, kinds.get(error.status_code, BadRequest("The request cannot be read.")))

    async def on_gone(request: Request, error: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    app.add_exception_handler(FrontError, on_front_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(ClientGone, on_gone)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the OCR while `/health` already answers; close what was opened."""
    service: Service = app.state.service
    tasks = [asyncio.create_task(_load(service)), asyncio.create_task(service.metrics.watch_loop())]
    if service.keys_file is not None:
        tasks.append(asyncio.create_task(service.keys_file.follow()))
    if service.jobs is not None:
        service.jobs.start()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if service.jobs is not None:
            await service.jobs.close()
        service.pool.close()
        await service.catalog.close()
        await service.http.aclose()
        service.access.close()


async def _load(service: Service) -> None:
    await service.pool.start()
    log.info("OCR loaded")
