"""Lines in, resolved fields out: the model server asked in the words of the revision that answers."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.documents.registry import Document, Kind
from ocr_frontend.errors import InvalidAnswer, ModelServerRefuses
from ocr_frontend.extraction.continuation import with_continuations, with_own_parts
from ocr_frontend.extraction.label_lines import without_labels
from ocr_frontend.extraction.misspelling import with_spelling_of_lines
from ocr_frontend.extraction.placement import Placement, with_places
from ocr_frontend.extraction.resolve import Resolved, resolve
from ocr_frontend.llm import answers
from ocr_frontend.llm.answers import Element
from ocr_frontend.llm.catalog import Catalog, ModelCard
from ocr_frontend.llm.client import Completion, ModelServer
from ocr_frontend.llm.prompt import Contract, Prompt, render
from ocr_frontend.llm.token_logprobs import element_logprobs
from ocr_frontend.llm.transport import PromptChanged
from ocr_frontend.observability.telemetry import span
from ocr_frontend.ocr.textline import TextLine


@dataclass(frozen=True, slots=True)
class Answer:
    """`fields` holds every field of the document; `prompt` is what the model was shown.

    given, used: the model's elements, and what our own steps made of them; logprobs: of the model's elements.
    """

    completion: Completion
    prompt: Prompt
    fields: dict[str, Resolved]
    given: dict[str, Element]
    used: dict[str, Element]
    logprobs: dict[str, float]


class Asker:
    """max_lines: OCR lines in a prompt; max_tokens: of an answer; placement: what the picture may do about it."""

    def __init__(
        self, server: ModelServer, catalog: Catalog, max_lines: int, max_tokens: int, *, placement: Placement = "empty"
    ) -> None:
        self._server, self._catalog, self._placement = server, catalog, placement
        self._max_lines, self._max_tokens = max_lines, max_tokens
        self._reports: set[asyncio.Task[None]] = set()

    async def ask(self, card: ModelCard, document: Document, lines: Sequence[TextLine]) -> Answer:
        """Raises InvalidAnswer, UnknownDocument, and what `ModelServer.complete` raises."""
        try:
            prompt, completion = await self._complete(card, document, lines)
        except PromptChanged:
            self._catalog.forget()
            card = await self._catalog.find(card.id)
            prompt, completion = await self._again(card, document, lines)
        answered = await self._other_words(card, completion.model)
        if answered is not None:
            card = answered
            prompt, completion = await self._complete(card, document, lines)
        try:
            return await asyncio.to_thread(
                _answer, completion, card.contract(), document, prompt, placement=self._placement
            )
        except InvalidAnswer:
            self.report_invalid(completion)
            raise

    def report_invalid(self, completion: Completion) -> None:
        """Tell the model server that an answer was none, beside the request: nobody waits for it."""
        task = asyncio.create_task(self._server.report_invalid(completion))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def _complete(
        self, card: ModelCard, document: Document, lines: Sequence[TextLine]
    ) -> tuple[Prompt, Completion]:
        contract = card.contract()
        with span("prompt"):
            prompt = render(contract, document, lines, self._max_lines)
        fields = contract.of(document).fields
        regex = answers.constraint(contract, fields, document.name, len(prompt.lines))
        tokens = answers.token_limit(contract, fields, self._max_tokens)
        with span("llm"):
            return prompt, await self._server.complete(card.id, prompt.text, tokens, regex, card.prompt_sha256)

    async def _again(self, card: ModelCard, document: Document, lines: Sequence[TextLine]) -> tuple[Prompt, Completion]:
        try:
            return await self._complete(card, document, lines)
        except PromptChanged:
            raise ModelServerRefuses("The model server does not know its own prompt.") from None

    async def _other_words(self, asked: ModelCard, answered: str) -> ModelCard | None:
        """The card of the revision that answered, if its contract is not the one that the prompt was made by.

        A switch of an alias can fall between the list of models and the request; then the answer is worth nothing.
        """
        if answered == asked.id:
            return None
        card = (await self._catalog.cards()).get(answered)
        if card is None:
            self._catalog.forget()
            card = (await self._catalog.cards()).get(answered)
        return card if card is not None and _words(card) != _words(asked) else None


def _words(card: ModelCard) -> str:
    return json.dumps(card.prompt, sort_keys=True)


def _answer(
    completion: Completion, contract: Contract, document: Document, prompt: Prompt, *, placement: Placement
) -> Answer:
    """A field that the contract does not know is empty, one that the document does not know is left out."""
    if not completion.complete:
        raise InvalidAnswer("The model's answer did not end within its token limit.")
    names = contract.of(document).fields
    given = answers.parse(completion.text, contract, names)
    numbered = contract.answer == "lines"
    used = _corrected(given, document, prompt.lines, placement=placement) if numbered else given
    fields = {
        spec.name: resolve(used.get(spec.name), spec, prompt.lines, numbered=numbered) for spec in document.fields
    }
    logprobs = element_logprobs(completion.text, completion.tokens, contract, names)
    return Answer(completion, prompt, fields, given, used, logprobs)


def _corrected(
    elements: dict[str, Element], document: Document, lines: Sequence[TextLine], *, placement: Placement
) -> dict[str, Element]:
    """What the picture shows and the text alone does not: labels, spelling, values over two lines."""
    texts = {spec.name for spec in document.fields if spec.kind is Kind.TEXT}
    elements = without_labels(elements, texts, lines)
    elements = with_spelling_of_lines(elements, texts, lines)
    elements = with_own_parts(elements, texts, lines)
    elements = with_places(elements, document, lines, placement)
    return with_continuations(elements, texts, lines)
