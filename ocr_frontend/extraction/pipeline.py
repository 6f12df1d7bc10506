"""One picture: bytes → OCR lines, or those of another OCR → cards → prompt → answer → values. No HTTP.

Steps: docs/explanation/structure.md.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ocr_frontend.documents.cards import Card, cards_on
from ocr_frontend.documents.classify import Detection
from ocr_frontend.documents.registry import Documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import InvalidAnswer, UnknownDocument, UnknownPicture, Unprocessable
from ocr_frontend.extraction.assemble import Assembled, assemble
from ocr_frontend.extraction.confidence import Calibration
from ocr_frontend.extraction.knowledge import Knowledge, KnownModels
from ocr_frontend.extraction.llm_step import Answer, LlmStep
from ocr_frontend.extraction.other_models import way_out
from ocr_frontend.extraction.page_step import PageStep, advice
from ocr_frontend.extraction.reranker.trees import Trees
from ocr_frontend.extraction.response_builder import Answered, extraction
from ocr_frontend.extraction.warnings import Warning_
from ocr_frontend.extraction.which_card import Wanted, chosen_card, recognised
from ocr_frontend.llm.catalog import Catalog, ModelCard
from ocr_frontend.observability import telemetry
from ocr_frontend.observability.metrics import Metrics
from ocr_frontend.ocr.contents import Sent
from ocr_frontend.ocr.phases import NoPhases, Phases
from ocr_frontend.ocr.pool import OcrPool, Page


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read of a picture for a model: the page and the cards on it. began: on `time.perf_counter()`'s scale."""

    model: ModelCard
    known: Knowledge
    page: Page
    cards: list[Card]
    began: float


class Pipeline:
    """Stateless. What computes runs in a thread: the event loop answers everybody else meanwhile."""

    def __init__(
        self,
        pool: OcrPool,
        catalog: Catalog,
        llm: LlmStep,
        models: KnownModels,
        metrics: Metrics,
        thresholds: Mapping[str, float],
        calibration: Calibration,
        trees: Trees | None,
        phases: Phases | None = None,
        seen: Callable[[str, DocumentSpec, Assembled], None] | None = None,
    ) -> None:
        """trees: of the reranker, None where it is not asked; phases: as the pool's.

        seen: is told every answer with its request's id."""
        self._pages, self._catalog, self._llm, self._metrics = (
            PageStep(pool, metrics, thresholds),
            catalog,
            llm,
            metrics,
        )
        self._models, self._thresholds, self._calibration = models, thresholds, calibration
        self._trees, self._phases, self._seen = trees, phases or NoPhases(), seen

    @property
    def may_wait(self) -> bool:
        """Whether a second picture of the same request finds a place in the queue."""
        return self._pages.may_wait

    async def check(self, data: bytes | Sent) -> None:
        """Whether the picture can be decoded, before anything is read. Raises what decoding it raises."""
        await self._pages.check(data)

    async def known(self, model: str) -> Documents:
        """The front's documents and those that the model brings. Raises UnknownModel."""
        return self._models.of(await self._catalog.find(model)).documents

    async def require(self, document: str, model: str) -> None:
        """That the model is served and knows the document. Raises UnknownModel, UnknownDocument."""
        self._models.of(await self._catalog.find(model)).chosen(document)

    async def extract(
        self,
        request_id: str,
        source: bytes | Sent | Page,
        document: str,
        model: str,
        *,
        side: str = "",
        number: int | None = None,
    ) -> Answered:
        """source: a picture, or the page of one that was read elsewhere; document: by name, or `auto` where the picture
        decides; side, number: which card of several (`Wanted`).

        Raises UnknownModel, UnknownDocument, UnknownPicture, NoTextFound, InvalidAnswer, and what pool and model
        server raise.
        """
        with telemetry.card(request_id):
            picture = await self._picture(source, document, model)
            wanted = Wanted(picture.known.chosen(document), side, number)
            try:
                card, spec, told = chosen_card(picture.cards, wanted)
                picture.known.contract.of(spec.name)
            except (UnknownPicture, UnknownDocument) as refused:
                raise await self._with_way_out(refused, picture) from None
            return await self._read_card(request_id, picture, card, spec, told)

    async def _with_way_out(self, refused: Unprocessable, picture: Picture) -> Unprocessable:
        """The refusal, with the model that does read such a picture, where one is served, or with what would make a
        poor picture a better one."""
        served = (await self._catalog.cards()).values()
        told = await asyncio.to_thread(way_out, picture.page.lines, picture.model, served, self._models)
        if not told and isinstance(refused, UnknownPicture):
            told = advice(picture.page.quality, self._thresholds)
        return type(refused)(f"{refused} {told}") if told else refused

    async def picture(self, data: bytes | Sent, model: str) -> Picture:
        """What is on a picture, so that several of its cards can be read (`read`). Raises as `extract` does."""
        return await self._picture(data, "auto", model)

    async def read(self, request_id: str, picture: Picture, card: Card, document: str) -> Answered:
        """One card of a picture, as a card of its own. Raises as `extract` does."""
        with telemetry.card(request_id):
            try:
                spec = picture.known.chosen(document) or recognised(card)
            except UnknownPicture as refused:
                raise await self._with_way_out(refused, picture) from None
            return await self._read_card(request_id, picture, card, spec, ())

    async def _picture(self, source: bytes | Sent | Page, document: str, model: str) -> Picture:
        began = time.perf_counter()
        card = await self._catalog.find(model)
        known = self._models.of(card)
        known.chosen(document)  # an unknown one is refused before the work
        page = await self._pages.page(source)
        cards = await asyncio.to_thread(cards_on, page.lines, known.classifier)
        return Picture(card, known, page, cards, began)

    async def _read_card(
        self, request_id: str, picture: Picture, card: Card, spec: DocumentSpec, told: tuple[Warning_, ...]
    ) -> Answered:
        page = replace(picture.page, lines=card.lines)
        if page.mirrored:
            told = (*told, Warning_("mirrored"))
        try:
            async with self._phases.asking():
                asked = time.perf_counter()
                answer = await self._llm.ask(picture.model, spec, page.lines)
            answered = time.perf_counter()
            self._metrics.invalid_answers.inc(bool(answer.cut))
            with telemetry.span("validate"):
                assembled = await self._assemble(spec, answer, page, card.detection)
        except InvalidAnswer:
            self._metrics.invalid_answers.inc()
            raise
        if self._seen is not None:
            self._seen(request_id, spec, assembled)
        done = time.perf_counter()
        own = {"llm": answered - asked, "total": done - picture.began}
        self._metrics.took(own | {"validate": done - answered})
        self._metrics.warned(spec.name, sum(bool(each.resolved.warnings) for each in assembled.fields.values()))
        assembled = replace(assembled, warnings=(*assembled.warnings, *told))
        seconds = {"decode": page.decode_s, "ocr": page.ocr_s} | own
        return Answered(extraction(request_id, spec, answer, page, assembled, seconds, self._thresholds), spec)

    async def _assemble(self, spec: DocumentSpec, answer: Answer, page: Page, detection: Detection) -> Assembled:
        """On a thread: a page of many lines takes some milliseconds, in which everybody else would wait."""
        card = (await self._catalog.cards()).get(answer.completion.model)
        weights = self._calibration.of(answer.completion.model, card.calibration if card else None)
        return await asyncio.to_thread(assemble, spec, answer, page.lines, detection, weights, None, self._trees)
