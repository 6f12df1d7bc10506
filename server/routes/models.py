"""`/v1/models`: the base, aliases and revisions, each adapter with its prompt contract and the weights of its
confidences. Never a path."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from adapters.registry.catalogue import Adapter, Revision
from server.context import Context, context_of
from server.errors import NotHere
from server.exchange import exchange_of

router = APIRouter()


@router.get("/v1/models")
async def list_models(request: Request) -> Response:
    """What the key may ask."""
    return JSONResponse({"object": "list", "data": _cards(request)})


@router.get("/v1/models/{model}")
async def get_model(request: Request, model: str) -> Response:
    """One of them."""
    card = next((card for card in _cards(request) if card["id"] == model), None)
    if card is None:
        raise NotHere(f"The model {model[:100]!r} does not exist.", param="model", code="model_not_found")
    return JSONResponse(card)


def _cards(request: Request) -> list[dict[str, Any]]:
    context, key = context_of(request), exchange_of(request).key
    cards = [_card(context, context.base, root=context.base, parent=None)]
    for adapter in context.plane.catalogue.adapters.values():
        if key.may_use(adapter.name):
            cards += _adapter_cards(context, adapter)
    return cards


def _adapter_cards(context: Context, adapter: Adapter) -> list[dict[str, Any]]:
    able = [revision for revision in adapter.revisions.values() if revision.refusal is None]
    cards = [_revision_card(context, revision, revision.public_name) for revision in able]
    serving = [revision for revision in able if revision.revision in adapter.weights]
    if serving:
        first = max(serving, key=lambda revision: adapter.weights[revision.revision])
        cards.insert(0, _revision_card(context, first, adapter.name))
    return cards


def _revision_card(context: Context, revision: Revision, name: str) -> dict[str, Any]:
    card = _card(context, name, root=revision.public_name, parent=context.base)
    card["created"] = revision.time // 1_000_000_000
    if revision.prompt is not None:
        card["prompt"], card["prompt_sha256"] = revision.prompt, revision.prompt_sha256
    if revision.manifest is not None and revision.manifest.calibration is not None:
        card["calibration"] = revision.manifest.calibration.model_dump()
    return card


def _card(context: Context, name: str, root: str, parent: str | None) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "cni-lora-server",
        "root": root,
        "parent": parent,
        "max_model_len": context.max_model_len,
    }
