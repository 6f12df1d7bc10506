"""Closes what vLLM opened and opens what the table allows."""

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from server.routes import adapters, feedback, health, metrics, models
from server.routes.table import RULES

ROUTERS = (health.router, metrics.router, models.router, feedback.router, adapters.router)


def install_routes(app: FastAPI, generating: APIRouter) -> None:
    """Replace all routes by ours. `generating`: the routes that ask the engine (inference.py, which needs vLLM)."""
    app.router.routes.clear()
    for router in (*ROUTERS, generating):
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
