"""Lines in, the model's elements out: the model server asked in the words of the revision that answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import InvalidAnswer, ModelServerRefuses, Unprocessable
from ocr_frontend.extraction.knowledge import KnownModels
from ocr_frontend.llm import answers
from ocr_frontend.llm.answers import Element
from ocr_frontend.llm.catalog import Catalog, ModelCard
from ocr_frontend.llm.client import Completion, ModelServer
from ocr_frontend.llm.contract import Contract
from ocr_frontend.llm.json_schema import SchemaError
from ocr_frontend.llm.prompt import Prompt, render
from ocr_frontend.llm.token_logprobs import element_logprobs
from ocr_frontend.llm.transport import PromptChanged
from ocr_frontend.observability.telemetry import span
from ocr_frontend.ocr.textline import TextLine

_UNSAID = -30.0  # logarithm of the probability of a null that the model has not said


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said. `prompt` is what it was shown; elements: by key; logprobs: of the elements, by key.

    cut: the fields that it did not come to before its token limit.
    """

    completion: Completion
    prompt: Prompt
    elements: dict[str, Element]
    logprobs: dict[str, float]
    cut: frozenset[str] = frozenset()


class LlmStep:
    """max_lines: OCR lines in a prompt; max_tokens: of an answer; models: what is known of them."""

    def __init__(
        self, server: ModelServer, catalog: Catalog, models: KnownModels, max_lines: int, max_tokens: int
    ) -> None:
        self._server, self._catalog, self._models = server, catalog, models
        self._max_lines, self._max_tokens = max_lines, max_tokens
        self._reports: set[asyncio.Task[None]] = set()

    def contract(self, card: ModelCard) -> Contract:
        """The model's own, or the built-in one."""
        return self._models.of(card).contract

    async def ask(self, card: ModelCard, spec: DocumentSpec, lines: Sequence[TextLine]) -> Answer:
        """Raises InvalidAnswer, UnknownDocument, Unprocessable, and what `ModelServer.complete` raises."""
        try:
            prompt, completion = await self._complete(card, spec, lines)
        except PromptChanged:
            self._catalog.forget()
            card = await self._catalog.find(card.id)
            prompt, completion = await self._again(card, spec, lines)
        answered = await self._revision_with_other_contract(card, completion.model)
        if answered is not None:
            card = answered
            prompt, completion = await self._again(card, spec, lines)
        try:
            answer = _answer(completion, self.contract(card), spec, prompt)
        except InvalidAnswer:
            self.report_invalid(completion)
            raise
        if answer.cut:
            self.report_invalid(completion)
        return answer

    def report_invalid(self, completion: Completion) -> None:
        """Tell the model server that an answer was none, beside the request: nobody waits for it."""
        task = asyncio.create_task(self._server.report_invalid(completion))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def _complete(
        self, card: ModelCard, spec: DocumentSpec, lines: Sequence[TextLine]
    ) -> tuple[Prompt, Completion]:
        contract = self.contract(card)
        given = contract.of(spec.name)
        with span("prompt"):
            prompt = render(contract, spec.name, lines, self._max_lines)
            try:
                regex = answers.constraint(contract, given, spec, len(prompt.lines))
            except SchemaError as error:
                raise Unprocessable(f"The model's contract cannot be used: {error}") from None
        tokens = answers.token_limit(contract, given, self._max_tokens)
        with span("llm"):
            return prompt, await self._server.complete(
                card.id,
                prompt.text,
                tokens,
                regex,
                card.prompt_sha256,
                sampling=contract.sampling.body(),
                stop=contract.stop,
            )

    async def _again(self, card: ModelCard, spec: DocumentSpec, lines: Sequence[TextLine]) -> tuple[Prompt, Completion]:
        try:
            return await self._complete(card, spec, lines)
        except PromptChanged:
            raise ModelServerRefuses("The model server does not know its own prompt.") from None

    async def _revision_with_other_contract(self, asked: ModelCard, answered: str) -> ModelCard | None:
        """The card of the revision that answered, if its contract is not the one that the prompt was made by.

        A switch of an alias can fall between the list of models and the request; then the answer is worth nothing.
        """
        if answered == asked.id:
            return None
        card = (await self._catalog.cards()).get(answered)
        if card is None:
            self._catalog.forget()
            card = (await self._catalog.cards()).get(answered)
        return card if card is not None and card.contract_key != asked.contract_key else None


def _answer(completion: Completion, contract: Contract, spec: DocumentSpec, prompt: Prompt) -> Answer:
    given, text = contract.of(spec.name), completion.text
    if completion.complete:
        elements, cut = answers.parse(text, contract, given), frozenset[str]()
    else:
        text = answers.whole_part(text, contract)
        elements, cut = answers.parse_part(text, contract, given)
    logprobs = element_logprobs(text, completion.tokens, contract, given.fields)
    logprobs |= dict.fromkeys(cut, _UNSAID) if logprobs else {}
    return Answer(completion, prompt, elements, logprobs, cut)
