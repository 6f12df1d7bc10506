"""Who asks: the service behind the routes, the caller's key, and what that key may do."""

from typing import Annotated

from fastapi import Depends, Request

from ocr_frontend.api.service import Service
from ocr_frontend.auth.keys import Key, Scope
from ocr_frontend.errors import Forbidden, Unauthorized


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Front = Annotated[Service, Depends(_service)]


def _require(request: Request, service: Service, scope: Scope) -> Key:
    key = service.ring.find(request.headers.get("authorization"))
    if key is None:
        raise Unauthorized("This route takes a key: `Authorization: Bearer …`.")
    if not key.may(scope):
        raise Forbidden(f"This key has no scope `{scope}`.")
    request.state.key_id = key.id
    return key


def _reader(request: Request, service: Front) -> Key:
    return _require(request, service, "inference")


Caller = Annotated[Key, Depends(_reader)]


def may_see_metrics(request: Request, service: Front) -> None:
    """Open until some key has the scope `metrics`."""
    if service.ring.guards("metrics"):
        _require(request, service, "metrics")


def administrator(request: Request, service: Front) -> None:
    """Raises Unauthorized or Forbidden for anybody but a key with the scope `admin`."""
    _require(request, service, "admin")


def has_scope(request: Request, service: Service, scope: Scope) -> bool:
    """Whether the caller's key has a scope. Without keys everybody is this machine, and has all of them."""
    key = service.ring.find(request.headers.get("authorization"))
    return key is not None and key.may(scope)


async def allow(service: Service, key: Key, model: str) -> None:
    """Raises Forbidden where the key may not use this adapter, UnknownModel where nobody can."""
    if not key.may_use(model) and (await service.catalog.find(model)).has_adapter:
        raise Forbidden("This key may not use a model of that name.")
