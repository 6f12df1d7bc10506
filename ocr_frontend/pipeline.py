"""One card: bytes → OCR lines → prompt → answer → values. No HTTP here; see docs/structure.md for the eight steps."""

import time
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from ocr_frontend.asking import Answer, Asker
from ocr_frontend.checks import with_warnings, with_zone
from ocr_frontend.detection import Detection, detect
from ocr_frontend.documents import Document, record_model
from ocr_frontend.errors import Busy, InvalidAnswer, NoTextFound, UnknownPicture
from ocr_frontend.metrics import Metrics
from ocr_frontend.models import Catalog
from ocr_frontend.pool import OcrPool, Page
from ocr_frontend.rendering import field_answer, ocr_answer, quality_answer, zone_answer
from ocr_frontend.resolve import Resolved
from ocr_frontend.schemas import Extraction
from ocr_frontend.zone import find_zone


class Pipeline:
    """Stateless but for the number of cards inside. A `with` block is one card's admission."""

    def __init__(
        self,
        pool: OcrPool,
        catalog: Catalog,
        asker: Asker,
        metrics: Metrics,
        max_requests: int,
        thresholds: Mapping[str, float],
    ) -> None:
        self._pool, self._catalog, self._asker, self._metrics = pool, catalog, asker, metrics
        self._thresholds = thresholds
        self._max_requests, self._inside = max_requests, 0

    def __enter__(self) -> None:
        """Before an upload is received. Raises Busy."""
        if self._inside >= self._max_requests:
            raise Busy("The service is answering as many requests as it takes at once.")
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        self._inside -= 1

    async def extract(self, request_id: str, data: bytes, chosen: Document | None, model: str) -> Extraction:
        """`chosen` is the sender's document, None where the picture decides.

        Raises UnknownModel, UnknownDocument, UnknownPicture, NoTextFound, InvalidAnswer, and what pool and model
        server raise.
        """
        began = time.perf_counter()
        card = await self._catalog.find(model)
        if chosen is not None:
            card.contract().of(chosen)  # a model for other documents is refused before the work
        page = await self._read(data)
        detection = detect(page.lines)
        document = chosen or _detected(detection)
        asked = time.perf_counter()
        try:
            answer = await self._asker.ask(card, document, page.lines)
            answered = time.perf_counter()
            zone = find_zone(page.lines) if document.name == "cni-2025-verso" else None
            fields = with_warnings(with_zone(document, answer.fields, zone, page.lines), zone)
            record = _record(document, fields)
        except InvalidAnswer:
            self._metrics.invalid_answers.inc()
            raise
        done = time.perf_counter()
        seconds = {"decode": page.decode_s, "ocr": page.ocr_s, "llm": answered - asked, "total": done - began}
        self._observe(seconds | {"validate": done - answered})
        self._metrics.field_warnings.labels(document.name).inc(sum(bool(f.warnings) for f in fields.values()))
        return Extraction(
            id=request_id,
            document=document.name,
            model=answer.completion.model,
            data=record,
            fields={spec.name: field_answer(fields[spec.name], spec) for spec in document.fields},
            ocr=ocr_answer(page),
            timings_ms={stage: round(value * 1000) for stage, value in seconds.items()},
            usage=answer.completion.usage.model_dump(),
            mrz=None if zone is None else zone_answer(zone),
            quality=quality_answer(page.quality, self._thresholds),
            warnings=tuple(_warnings(document, detection, answer)),
        )

    async def _read(self, data: bytes) -> Page:
        began = time.perf_counter()
        page = await self._pool.read(data)
        waited = time.perf_counter() - began - page.decode_s - page.ocr_s - page.quality_s
        self._observe({"queue": max(0.0, waited)})
        if not any(line.text.strip() for line in page.lines):
            raise NoTextFound("No text was found on the image.")
        return page

    def _observe(self, seconds: dict[str, float]) -> None:
        for stage, value in seconds.items():
            self._metrics.stages.labels(stage).observe(value)


def _record(document: Document, fields: dict[str, Resolved]) -> dict[str, str | float | None]:
    """The flat `data`, validated. Raises InvalidAnswer; pydantic's message would quote the value."""
    try:
        record = record_model(document.name).model_validate({name: field.value for name, field in fields.items()})
    except ValidationError:
        raise InvalidAnswer("The model's answer does not fit the document.") from None
    return record.model_dump()


def _detected(detection: Detection) -> Document:
    if detection.document is None:
        raise UnknownPicture(f"The picture is not recognised. {detection.reason} Name the document if it is one.")
    return detection.document


def _warnings(document: Document, detection: Detection, answer: Answer) -> Iterator[str]:
    if detection.document is not None and detection.document is not document:
        yield f"The picture looks like {detection.document.name}, not {document.name}."
    if detection.sure_none:
        yield f"The picture does not look like {document.name}. {detection.reason}"
    if answer.prompt.dropped:
        yield f"{answer.prompt.dropped} lines of text beyond the first {len(answer.prompt.lines)} were not used."
    if all(field.value is None for field in answer.fields.values()):
        yield f"None of the fields of {document.name} was found on the picture."
