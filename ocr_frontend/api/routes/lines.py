"""Lines that somebody else's OCR has read, in the place of a picture."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from ocr_frontend.api.disconnect import unless_gone
from ocr_frontend.api.given_lines import receive_lines
from ocr_frontend.api.openapi import ERRORS, LINES_BODY
from ocr_frontend.api.routes.dependencies import Caller, Front, allow
from ocr_frontend.api.serving import serving
from ocr_frontend.bodies.include import left_out, shown
from ocr_frontend.bodies.schemas import Extraction
from ocr_frontend.documents.registry import AUTO

router = APIRouter(responses=ERRORS)


@router.post("/v1/extract-lines", openapi_extra=LINES_BODY)
async def extract_lines(request: Request, service: Front, key: Caller, include: str | None = None) -> Extraction:
    """The fields of lines that were read elsewhere: as `/v1/extract` answers, without a picture and its quality."""
    settings, without = service.settings, left_out(include)
    # No reader is needed, so neither its queue nor its start is waited for.
    async with serving(request, service, key, reads=False) as served:
        sent, page = await receive_lines(request, settings.upload_seconds, served.hold)
        served.admit()
        model = sent.model or settings.model
        await allow(service, key, model)
        request_id, document = request.state.request_id, sent.document or AUTO
        work = service.pipeline.extract(request_id, page, document, model, number=sent.card)
        answer = (await unless_gone(request, work)).body
        served.used.tokens = sum(answer.usage.values())
    if service.corrections is not None:
        await service.corrections.keep(key.owner, answer.model_dump(mode="json"))
    return JSONResponse(shown(answer, without)) if without else answer  # type: ignore[return-value]
