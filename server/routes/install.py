"""Closes what vLLM opened and opens what the table allows."""

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from server.routes import adapters, feedback, health, inference, metrics, models
from server.routes.table import RULES


def install_routes(app: FastAPI) -> None:
    """Replace all routes by ours."""
    app.router.routes.clear()
    for router in routers():
        app.include_router(router)
    close_others(app)


def close_others(app: FastAPI) -> None:
    """Drop every route that the table does not allow; whatever came after us included."""
    app.router.routes[:] = [route for route in app.router.routes if is_allowed(route)]


def is_allowed(route: BaseRoute) -> bool:
    """Whether the table has this route's path with all of its methods."""
    path, methods = getattr(route, "path", None), getattr(route, "methods", None)
    allowed = {rule.method for rule in RULES if rule.path == path}
    return bool(methods) and set(methods or ()) - {"HEAD"} <= allowed


def routers() -> tuple[APIRouter, ...]:
    """All of ours."""
    return (
        health.router,
        metrics.router,
        models.router,
        inference.router,
        feedback.router,
        adapters.router,
    )
