"""One card: bytes → OCR lines → prompt → answer → values. No HTTP here; see docs/structure.md for the eight steps."""

import asyncio
import time
from collections.abc import Mapping

from ocr_frontend.api.response_builder import ocr_answer, quality_answer, zone_answer
from ocr_frontend.api.schemas import Extraction
from ocr_frontend.documents.classify import Detection, detect
from ocr_frontend.documents.registry import Document
from ocr_frontend.errors import InvalidAnswer, NoTextFound, UnknownPicture
from ocr_frontend.extraction.asking import Asker
from ocr_frontend.extraction.assemble import judge
from ocr_frontend.extraction.confidence import Calibration
from ocr_frontend.llm.catalog import Catalog
from ocr_frontend.observability import telemetry
from ocr_frontend.observability.metrics import Metrics
from ocr_frontend.ocr.contents import Sent
from ocr_frontend.ocr.pool import OcrPool, Page
from ocr_frontend.ocr.quality import ADVICE


class Pipeline:
    """Stateless. What computes runs in a thread: the event loop answers everybody else meanwhile."""

    def __init__(
        self,
        pool: OcrPool,
        catalog: Catalog,
        asker: Asker,
        metrics: Metrics,
        thresholds: Mapping[str, float],
        calibration: Calibration,
    ) -> None:
        self._pool, self._catalog, self._asker, self._metrics = pool, catalog, asker, metrics
        self._thresholds, self._calibration = thresholds, calibration

    async def check(self, data: bytes | Sent) -> None:
        """Whether the picture can be decoded, before anything is read. Raises what decoding it raises."""
        await self._pool.check(data)

    async def extract(self, request_id: str, data: bytes | Sent, chosen: Document | None, model: str) -> Extraction:
        """`chosen` is the sender's document, None where the picture decides.

        Raises UnknownModel, UnknownDocument, UnknownPicture, NoTextFound, InvalidAnswer, and what pool and model
        server raise.
        """
        with telemetry.card(request_id):
            return await self._extract(request_id, data, chosen, model)

    async def _extract(self, request_id: str, data: bytes | Sent, chosen: Document | None, model: str) -> Extraction:
        began = time.perf_counter()
        card = await self._catalog.find(model)
        if chosen is not None:
            card.contract().of(chosen)  # a model for other documents is refused before the work
        page = await self._read(data)
        detection = await asyncio.to_thread(detect, page.lines)
        document = chosen or _detected(detection)
        asked = time.perf_counter()
        try:
            answer = await self._asker.ask(card, document, page.lines)
            answered = time.perf_counter()
            with telemetry.span("validate"):
                judged = await asyncio.to_thread(judge, document, answer, page, detection, self._calibration)
        except InvalidAnswer:
            self._metrics.invalid_answers.inc()
            raise
        done = time.perf_counter()
        seconds = {"decode": page.decode_s, "ocr": page.ocr_s, "llm": answered - asked, "total": done - began}
        self._observe(seconds | {"validate": done - answered})
        doubtful = sum(bool(field.warnings) for field in judged.fields.values())
        self._metrics.field_warnings.labels(document.name).inc(doubtful)
        return Extraction(
            id=request_id,
            document=document.name,
            model=answer.completion.model,
            data=judged.record,
            fields=judged.fields,
            ocr=ocr_answer(page),
            timings_ms={stage: round(value * 1000) for stage, value in seconds.items()},
            usage=answer.completion.usage.model_dump(),
            mrz=None if judged.zone is None else zone_answer(judged.zone),
            quality=quality_answer(page.quality, self._thresholds),
            warnings=judged.warnings,
        )

    async def _read(self, data: bytes | Sent) -> Page:
        began = time.perf_counter()
        page = await self._pool.read(data)
        telemetry.past(decode=page.decode_s, ocr=page.ocr_s, quality=page.quality_s)
        waited = time.perf_counter() - began - page.decode_s - page.ocr_s - page.quality_s
        self._observe({"queue": max(0.0, waited)})
        if not any(line.text.strip() for line in page.lines):
            raise NoTextFound(f"No text was found on the image. {_advice(page, self._thresholds)}")
        return page

    def _observe(self, seconds: dict[str, float]) -> None:
        for stage, value in seconds.items():
            self._metrics.stages.labels(stage).observe(value)


def _detected(detection: Detection) -> Document:
    if detection.document is None:
        raise UnknownPicture(f"The picture is not recognised. {detection.reason} Name the document if it is one.")
    return detection.document


def _advice(page: Page, thresholds: Mapping[str, float]) -> str:
    """What the sender can do, in English and French. Without lines only burnt-out spots can be told apart."""
    poor = [name for name, score in page.quality.items() if score < thresholds[name]]
    asked = [ADVICE[name] for name in poor or ("resolution", "sharpness")]
    return " ".join(english for _, english in asked) + " / " + " ".join(french for french, _ in asked)
