"""What there is to choose from: documents and models."""

import asyncio
from typing import Any

from fastapi import APIRouter

from ocr_frontend.api.openapi import ERRORS
from ocr_frontend.api.routes.dependencies import Caller, Front
from ocr_frontend.api.service import Service
from ocr_frontend.auth.keys import Key
from ocr_frontend.bodies.schemas import ModelEntry, ModelList
from ocr_frontend.documents.spec import DocumentSpec, FieldSpec
from ocr_frontend.errors import DeadlineExceeded, ModelServerAway
from ocr_frontend.extraction.offered import offered
from ocr_frontend.extraction.warnings import MESSAGES
from ocr_frontend.llm.catalog import ModelCard

router = APIRouter(responses=ERRORS)


@router.get("/v1/documents")
async def documents(service: Front, key: Caller) -> dict[str, list[dict[str, Any]]]:
    """The document types, those of served models too: fields in order with labels and thresholds, the JSON schema of
    `data`, and which models read them."""
    try:
        cards = await _cards(service, key)
    except (ModelServerAway, DeadlineExceeded):
        cards = []  # what the front itself knows
    found = await asyncio.to_thread(offered, service.documents, cards)
    return {"documents": [_document(each.spec) | {"models": list(each.models)} for each in found]}


@router.get("/v1/warnings")
async def warnings() -> dict[str, dict[str, str]]:
    """Every warning's code and its sentence in English and French; {names} are parameters."""
    return {code: {"en": words.en, "fr": words.of("fr")} for code, words in MESSAGES.items()}


def _document(spec: DocumentSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "family": spec.family,
        "side": spec.side,
        "title": spec.title.en,
        "titles": {"en": spec.title.en, "fr": spec.title.of("fr")},
        "fields": list(spec.keys),
        "labels": {field.key: _labels(field) for field in spec.fields},
        "standard": {field.key: field.standard for field in spec.fields if field.standard},
        "review": {field.key: spec.review.of(field.key) for field in spec.fields},
        "schema": spec.json_schema(),
    }


def _labels(field: FieldSpec) -> dict[str, str]:
    return {language: field.label.of(language) if field.label else field.key for language in ("en", "fr")}


@router.get("/models")
async def models(service: Front, key: Caller) -> ModelList:
    """What the model server serves and the key may use."""
    cards = await _cards(service, key)
    return ModelList(models=[ModelEntry(id=card.id, name=card.id, has_adapter=card.has_adapter) for card in cards])


async def _cards(service: Service, key: Key) -> list[ModelCard]:
    """Those that the key may use. Raises ModelServerAway, DeadlineExceeded."""
    cards = (await service.catalog.cards()).values()
    return [card for card in cards if not card.has_adapter or key.may_use(card.id)]
