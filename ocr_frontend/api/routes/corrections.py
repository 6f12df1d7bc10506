"""`/v1/results/{id}` and `/v1/corrections`: what people put right, for the next training. Off unless set."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from ocr_frontend.api.openapi import ERRORS
from ocr_frontend.api.routes.dependencies import Caller, Front, administrator
from ocr_frontend.api.service import Service
from ocr_frontend.errors import BadRequest, ImageTooLarge, NotFound
from ocr_frontend.jobs.corrections import Corrections

router = APIRouter(prefix="/v1", responses=ERRORS)
_MOST = 64 * 1024  # bytes of a body


def _corrections(service: Service) -> Corrections:
    if service.corrections is None:
        raise NotFound("Corrections are off here: nothing of an answer is kept (OCR_FRONT_CORRECTIONS).")
    return service.corrections


@router.put("/results/{answer_id}")
async def correct(request: Request, answer_id: str, service: Front, key: Caller) -> dict[str, Any]:
    """`{"fields": {"NAME": VALUE}}`: the right values of an answer that this key got. Gives all of it as it is now."""
    corrections = _corrections(service)
    fields = await _fields(request)
    return await corrections.correct(key.owner, key.id, answer_id, fields)


@router.delete("/results/{answer_id}", status_code=204)
async def forget(answer_id: str, service: Front, key: Caller) -> None:
    """Forget an answer and its corrections before their time."""
    await _corrections(service).delete(key.owner, answer_id)


@router.get("/corrections")
async def exported(service: Front, allowed: Annotated[None, Depends(administrator)]) -> Response:
    """Every corrected answer as JSON Lines that `adapters train` reads; takes a key with the scope `admin`."""
    rows = await _corrections(service).exported()
    return Response("".join(f"{row}\n" for row in rows), media_type="application/jsonl")


async def _fields(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST:
            raise ImageTooLarge(f"The body has more than {_MOST} bytes.")
    try:
        given = json.loads(bytes(body))
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or list(given) != ["fields"] or not isinstance(given["fields"], dict):
        raise BadRequest('Send JSON: {"fields": {"NAME": VALUE}}.')
    fields: dict[str, Any] = given["fields"]
    return fields
