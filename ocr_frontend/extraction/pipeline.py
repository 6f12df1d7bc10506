"""One picture: bytes → OCR lines → prompt → answer → values. No HTTP here. The steps: docs/explanation/structure.md."""

import asyncio
import time
from collections.abc import Mapping

from ocr_frontend.api.response_builder import field_answer, ocr_answer, quality_answer, warning_answers, zone_answer
from ocr_frontend.api.schemas import Extraction
from ocr_frontend.documents.classify import Classifier, Detection
from ocr_frontend.documents.registry import AUTO, Documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import InvalidAnswer, NoTextFound, UnknownDocument, UnknownPicture
from ocr_frontend.extraction.assemble import Assembled, assemble
from ocr_frontend.extraction.confidence import Calibration
from ocr_frontend.extraction.llm_step import Answer, LlmStep
from ocr_frontend.llm.catalog import Catalog, ModelCard
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
        llm: LlmStep,
        documents: Documents,
        metrics: Metrics,
        thresholds: Mapping[str, float],
        calibration: Calibration,
    ) -> None:
        self._pool, self._catalog, self._llm, self._metrics = pool, catalog, llm, metrics
        self._documents, self._classifier = documents, Classifier(documents)
        self._thresholds, self._calibration = thresholds, calibration

    @property
    def documents(self) -> Documents:
        """What the front itself knows."""
        return self._documents

    async def check(self, data: bytes | Sent) -> None:
        """Whether the picture can be decoded, before anything is read. Raises what decoding it raises."""
        await self._pool.check(data)

    async def require(self, document: str, model: str) -> None:
        """That the model is served and knows the document. Raises UnknownModel, UnknownDocument."""
        self._chosen(await self._catalog.find(model), document)

    async def extract(self, request_id: str, data: bytes | Sent, document: str, model: str) -> Extraction:
        """document: by name, or `auto` where the picture decides.

        Raises UnknownModel, UnknownDocument, UnknownPicture, NoTextFound, InvalidAnswer, and what pool and model
        server raise.
        """
        with telemetry.card(request_id):
            return await self._extract(request_id, data, document, model)

    async def _extract(self, request_id: str, data: bytes | Sent, name: str, model: str) -> Extraction:
        began = time.perf_counter()
        card = await self._catalog.find(model)
        chosen = self._chosen(card, name)  # an unknown one is refused before the work
        page = await self._read(data)
        detection = await asyncio.to_thread(self._detect, card, page)
        spec = chosen or _detected(detection)
        asked = time.perf_counter()
        try:
            answer = await self._llm.ask(card, spec, page.lines)
            answered = time.perf_counter()
            with telemetry.span("validate"):
                assembled = await self._assemble(spec, answer, page, detection)
        except InvalidAnswer:
            self._metrics.invalid_answers.inc()
            raise
        done = time.perf_counter()
        seconds = {"decode": page.decode_s, "ocr": page.ocr_s, "llm": answered - asked, "total": done - began}
        self._observe(seconds | {"validate": done - answered})
        self._metrics.warned(spec.name, sum(bool(each.resolved.warnings) for each in assembled.fields.values()))
        return self._answer(request_id, spec, answer, page, assembled, seconds)

    def _chosen(self, card: ModelCard, name: str) -> DocumentSpec | None:
        """The document by name, None for `auto`; also one that the model's contract brings."""
        if name == AUTO:
            return None
        contract = self._llm.contract(card)
        known = contract.known(self._documents)
        spec = known.find(name)
        if spec is None:
            raise UnknownDocument(f"Unknown document; known are {', '.join((AUTO, *known.readable))}.")
        contract.of(name)
        return spec

    def _detect(self, card: ModelCard, page: Page) -> Detection:
        """What the picture shows, of all documents that the front or the model know."""
        known = self._llm.contract(card).known(self._documents)
        classifier = self._classifier if known.every.keys() == self._documents.every.keys() else Classifier(known)
        return classifier.detect(page.lines)

    async def _assemble(self, spec: DocumentSpec, answer: Answer, page: Page, detection: Detection) -> Assembled:
        """On a thread: a page of many lines takes some milliseconds, in which everybody else would wait."""
        card = (await self._catalog.cards()).get(answer.completion.model)
        weights = self._calibration.of(answer.completion.model, card.calibration if card else None)
        return await asyncio.to_thread(assemble, spec, answer, page.lines, detection, weights)

    def _answer(
        self,
        request_id: str,
        spec: DocumentSpec,
        answer: Answer,
        page: Page,
        assembled: Assembled,
        seconds: Mapping[str, float],
    ) -> Extraction:
        fields = {each.key: field_answer(assembled.fields[each.key], each) for each in spec.fields}
        return Extraction(
            id=request_id,
            document=spec.name,
            model=answer.completion.model,
            data={key: field.value for key, field in fields.items()},
            fields=fields,
            ocr=ocr_answer(page),
            timings_ms={stage: round(value * 1000) for stage, value in seconds.items()},
            usage=answer.completion.usage.model_dump(),
            mrz=None if assembled.zone is None else zone_answer(assembled.zone),
            quality=quality_answer(page.quality, self._thresholds),
            needs_review=any(field.needs_review for field in fields.values()),
            warnings=warning_answers(assembled.warnings),
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

    def _observe(self, seconds: Mapping[str, float]) -> None:
        for stage, value in seconds.items():
            self._metrics.stages.labels(stage).observe(value)


def _detected(detection: Detection) -> DocumentSpec:
    if detection.document is None:
        raise UnknownPicture(f"The picture is not recognised. {detection.reason} Name the document if it is one.")
    return detection.document


def _advice(page: Page, thresholds: Mapping[str, float]) -> str:
    """What the sender can do, in English and French. Without lines only burnt-out spots can be told apart."""
    poor = [name for name, score in page.quality.items() if score < thresholds[name]]
    asked = [ADVICE[name] for name in poor or ("resolution", "sharpness")]
    return " ".join(english for _, english in asked) + " / " + " ".join(french for french, _ in asked)
