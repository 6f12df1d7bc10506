"""HTTP in, HTTP out; the work is in `pipeline`."""

import hmac
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ocr_frontend import web
from ocr_frontend.disconnect import unless_gone
from ocr_frontend.documents import AUTO, DOCUMENTS, find_document, record_model
from ocr_frontend.errors import ModelServerAway, Unauthorized
from ocr_frontend.openapi import ERRORS, EXTRACT_FORM, UPLOAD_FORM
from ocr_frontend.schemas import Extraction, LegacyExtraction, ModelEntry, ModelList
from ocr_frontend.service import Service
from ocr_frontend.uploads import receive


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Front = Annotated[Service, Depends(_service)]


def check_key(request: Request, service: Front) -> None:
    """Bearer keys, compared in constant time. Without configured keys the service listens on loopback only."""
    keys = service.settings.keys
    given = request.headers.get("authorization", "").partition("Bearer ")[2].encode()
    if keys and not any(hmac.compare_digest(given, key.get_secret_value().encode()) for key in keys):
        raise Unauthorized("This route takes a key: `Authorization: Bearer …`.")


open_router = APIRouter()
router = APIRouter(dependencies=[Depends(check_key)], responses=ERRORS)


@router.post("/v1/extract", openapi_extra=EXTRACT_FORM)
async def extract(request: Request, service: Front) -> Extraction:
    """The fields of one side of a card, with the line and the box that each was read from."""
    return await _extract(request, service, "image", lambda form: form.get("document") or AUTO)


@router.post("/upload", openapi_extra=UPLOAD_FORM)
async def upload(request: Request, service: Front) -> LegacyExtraction:
    """For existing clients: the text and the fields, nothing else."""
    answer = await _extract(
        request, service, "file", lambda form: f"cni-{form.get('version') or '2018'}-{form.get('side') or 'recto'}"
    )
    return LegacyExtraction(raw_text="\n".join(line.text for line in answer.ocr.lines), extracted_data=answer.data)


async def _extract(
    request: Request, service: Service, part: str, document_of: Callable[[dict[str, str]], str]
) -> Extraction:
    settings = service.settings
    with service.pipeline:
        form = await receive(request, part, settings.max_bytes, settings.upload_seconds)
        document = find_document(document_of(form.fields))
        model = form.fields.get("model") or settings.model
        work = service.pipeline.extract(request.state.request_id, form.data, document, model)
        return await unless_gone(request, work)


@router.get("/v1/documents")
async def documents() -> dict[str, list[dict[str, Any]]]:
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
async def models(service: Front) -> ModelList:
    """What the model server serves."""
    cards = (await service.catalog.cards()).values()
    return ModelList(models=[ModelEntry(id=card.id, name=card.id, has_adapter=card.has_adapter) for card in cards])


@open_router.get("/health")
async def health() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@open_router.get("/ready", responses=ERRORS)
async def ready(service: Front) -> dict[str, str]:
    """A card can be answered now: the OCR is loaded and the model server is ready."""
    service.pool.require_ready()
    if not await service.server.ready():
        raise ModelServerAway("The model server is not ready.")
    return {"status": "ready"}


@open_router.get("/metrics")
async def metrics(service: Front) -> Response:
    """Prometheus text."""
    return Response(service.metrics.render(), media_type=CONTENT_TYPE_LATEST)


@open_router.get("/", include_in_schema=False)
async def page() -> HTMLResponse:
    """The web page."""
    return HTMLResponse(web.page(), headers=web.HEADERS)
