"""What there is to choose from: documents and models."""

from typing import Any

from fastapi import APIRouter

from ocr_frontend.api.openapi import ERRORS
from ocr_frontend.api.routes.dependencies import Caller, Front
from ocr_frontend.api.schemas import ModelEntry, ModelList
from ocr_frontend.documents.registry import DOCUMENTS, record_model

router = APIRouter(responses=ERRORS)


@router.get("/v1/documents")
async def documents(key: Caller) -> dict[str, list[dict[str, Any]]]:
    """The document types, their fields in order, and the JSON schema of `data`."""
    return {
        "documents": [
            {
                "name": name,
                "title": document.title,
                "fields": document.keys,
                "schema": record_model(name).model_json_schema(),
            }
            for name, document in DOCUMENTS.items()
        ]
    }


@router.get("/models")
async def models(service: Front, key: Caller) -> ModelList:
    """What the model server serves and the key may use."""
    cards = (await service.catalog.cards()).values()
    return ModelList(
        models=[
            ModelEntry(id=card.id, name=card.id, has_adapter=card.has_adapter)
            for card in cards
            if not card.has_adapter or key.may_use(card.id)
        ]
    )
