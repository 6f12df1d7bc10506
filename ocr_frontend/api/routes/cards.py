"""One card, by one picture or by both sides."""

from collections.abc import Callable, Collection, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from ocr_frontend.api.disconnect import unless_gone
from ocr_frontend.api.openapi import CARD_FORM, ERRORS, EXTRACT_FORM, UPLOAD_FORM
from ocr_frontend.api.pages import contents_of, one_card, one_page
from ocr_frontend.api.routes.dependencies import Caller, Front, allow
from ocr_frontend.api.service import Service
from ocr_frontend.api.serving import serving
from ocr_frontend.api.uploads import Upload, receive
from ocr_frontend.auth.keys import Key
from ocr_frontend.bodies.include import left_out, shown, shown_sides
from ocr_frontend.bodies.schemas import Extraction, LegacyExtraction, WarningAnswer
from ocr_frontend.documents.registry import AUTO
from ocr_frontend.errors import BadRequest, UnknownDocument, Unprocessable
from ocr_frontend.extraction.read_sides import read_both, read_one_picture
from ocr_frontend.extraction.response_builder import left_out_pages
from ocr_frontend.extraction.two_sided import SIDES, Card, documents_of
from ocr_frontend.ocr.contents import Sent
from ocr_frontend.ocr.limits import Limits

router = APIRouter(responses=ERRORS)


@router.post("/v1/extract", openapi_extra=EXTRACT_FORM)
async def extract(request: Request, service: Front, key: Caller, include: str | None = None) -> Extraction:
    """The fields of one side of a card, with the line and the box that each was read from."""
    without = left_out(include)
    answer = await _extract(
        request,
        service,
        key,
        "image",
        ("document", "model", "pages", "card"),
        lambda form: form.get("document") or AUTO,
    )
    if service.corrections is not None:
        await service.corrections.keep(key.owner, answer.model_dump(mode="json"))
    return JSONResponse(shown(answer, without)) if without else answer  # type: ignore[return-value]


@router.post("/upload", openapi_extra=UPLOAD_FORM)
async def upload(request: Request, service: Front, key: Caller) -> LegacyExtraction:
    """For existing clients: the text and the fields, nothing else."""
    answer = await _extract(
        request, service, key, "file", ("model", "version", "side", "pages"),
        lambda form: _of_a_side(service, form.get("version") or "", form.get("side") or SIDES[0]),
    )  # fmt: skip
    return LegacyExtraction(
        raw_text="\n".join(line.text for line in answer.ocr.lines),
        extracted_data=answer.data,
        warnings=(*answer.warnings, *(each for field in answer.fields.values() for each in field.warnings)),
    )


def _of_a_side(service: Service, version: str, side: str) -> str:
    if side not in SIDES:
        raise UnknownDocument(f"Unknown side; known are {', '.join(SIDES)}.")
    return documents_of(service.documents, version)[side]


async def _extract(
    request: Request,
    service: Service,
    key: Key,
    part: str,
    fields: Collection[str],
    document_of: Callable[[dict[str, str]], str],
) -> Extraction:
    settings = service.settings
    async with serving(request, service, key) as served:
        form = await receive(
            request, (part,), settings.max_bytes, settings.upload_seconds, fields=fields, hold=served.hold
        )
        image = form.one(part)
        document = document_of(form.fields)
        model = form.fields.get("model") or settings.model
        served.admit()
        await allow(service, key, model)
        contents = await contents_of(image, settings.limits())
        page = one_page(form.fields.get("pages"), contents)
        number = one_card(form.fields.get("card"))
        work = service.pipeline.extract(request.state.request_id, Sent(image, page), document, model, number=number)
        answer = (await unless_gone(request, work)).body
        served.used.tokens = sum(answer.usage.values())
        return answer.model_copy(update={"warnings": (*answer.warnings, *left_out_pages(contents, page))})


@router.post("/v1/cards", openapi_extra=CARD_FORM)
async def card(request: Request, service: Front, key: Caller, include: str | None = None) -> Card:
    """Both sides of one card: the fields of both; no data where they are not of one card."""
    settings, without = service.settings, left_out(include)
    async with serving(request, service, key) as served:
        form = await receive(
            request, (*SIDES, "image"), settings.max_bytes, settings.upload_seconds, fields=("version", "model"),
            hold=served.hold, total=settings.max_bytes * len(SIDES),
        )  # fmt: skip
        served.admit()
        model = form.fields.get("model") or settings.model
        await allow(service, key, model)
        images, unread = await _sides(form, settings.limits())
        pipeline, request_id = service.pipeline, request.state.request_id
        chosen = documents_of(await pipeline.known(model), form.fields.get("version") or AUTO)
        answer = await unless_gone(
            request,
            read_one_picture(pipeline, request_id, images, chosen, model)
            if isinstance(images, Sent)
            else read_both(pipeline, request_id, images, chosen, model),
        )
        served.used.tokens = sum(sum(side.usage.values()) for side in answer.sides.values())
        answer = answer.model_copy(update={"warnings": (*answer.warnings, *unread)})
        return JSONResponse(shown_sides(answer, without)) if without else answer  # type: ignore[return-value]


async def _sides(form: Upload, limits: Limits) -> tuple[Mapping[str, bytes | Sent] | Sent, list[WarningAnswer]]:
    """The picture of each side: of two files, or of one with two pages; one picture where it shows both.

    Raises BadRequest and Unprocessable.
    """
    if not form.files["image"]:
        images = {side: form.one(side) for side in SIDES}
        return images, await _pages_left_out(images, limits)
    if any(form.files[side] for side in SIDES):
        raise BadRequest("Send both sides as `recto` and `verso`, or in one file `image`.")
    whole = form.one("image")
    contents = await contents_of(whole, limits)
    if contents.pages > len(SIDES):
        raise Unprocessable(
            f"The file in the part `image` has {contents.pages} pages; it takes two, recto and verso, or one with both."
        )
    if contents.pages == 1:
        return Sent(whole), list(left_out_pages(contents, 1))
    return {side: Sent(whole, page) for page, side in enumerate(SIDES, 1)}, []


async def _pages_left_out(images: Mapping[str, bytes], limits: Limits) -> list[WarningAnswer]:
    """Of each side's file the first page is read; what else it holds is named."""
    found = {side: await contents_of(image, limits) for side, image in images.items()}
    return [
        said.model_copy(update={"message": f"{side}: {said.message}", "params": {"side": side, **said.params}})
        for side, contents in found.items()
        for said in left_out_pages(contents, 1)
    ]
