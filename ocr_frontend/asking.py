"""Lines in, resolved fields out: the model server asked in the words of the revision that answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend import answers
from ocr_frontend.completions import Completion, ModelServer
from ocr_frontend.continuation import with_continuations
from ocr_frontend.documents import Document, Kind
from ocr_frontend.errors import InvalidAnswer
from ocr_frontend.label_lines import without_labels
from ocr_frontend.misspelling import with_spelling_of_lines
from ocr_frontend.models import Catalog, ModelCard
from ocr_frontend.ocr import TextLine
from ocr_frontend.prompt import Contract, Prompt, render
from ocr_frontend.resolve import Resolved, resolve


@dataclass(frozen=True, slots=True)
class Answer:
    """`fields` holds every field of the document; `prompt` is what the model was shown."""

    completion: Completion
    prompt: Prompt
    fields: dict[str, Resolved]


class Asker:
    """max_lines: OCR lines in a prompt; max_tokens: of an answer."""

    def __init__(self, server: ModelServer, catalog: Catalog, max_lines: int, max_tokens: int) -> None:
        self._server, self._catalog = server, catalog
        self._max_lines, self._max_tokens = max_lines, max_tokens

    async def ask(self, card: ModelCard, document: Document, lines: Sequence[TextLine]) -> Answer:
        """Raises InvalidAnswer, UnknownDocument, and what `ModelServer.complete` raises."""
        contract = card.contract()
        prompt, completion = await self._complete(card.id, contract, document, lines)
        answered = await self._other_words(card, completion.model)
        if answered is not None:
            contract = answered.contract()
            prompt, completion = await self._complete(answered.id, contract, document, lines)
        return Answer(completion, prompt, _fields(completion, contract, document, prompt))

    async def _complete(
        self, model: str, contract: Contract, document: Document, lines: Sequence[TextLine]
    ) -> tuple[Prompt, Completion]:
        prompt = render(contract, document, lines, self._max_lines)
        fields = contract.of(document).fields
        regex = answers.constraint(contract, fields, document.name, len(prompt.lines))
        tokens = answers.token_limit(contract, fields, self._max_tokens)
        return prompt, await self._server.complete(model, prompt.text, tokens, regex)

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


def _fields(completion: Completion, contract: Contract, document: Document, prompt: Prompt) -> dict[str, Resolved]:
    """A field that the contract does not know is empty, one that the document does not know is left out."""
    if not completion.complete:
        raise InvalidAnswer("The model's answer did not end within its token limit.")
    elements = answers.parse(completion.text, contract, contract.of(document).fields)
    numbered = contract.answer == "lines"
    if numbered:
        texts = {spec.name for spec in document.fields if spec.kind is Kind.TEXT}
        elements = without_labels(elements, texts, prompt.lines)
        elements = with_spelling_of_lines(elements, texts, prompt.lines)
        elements = with_continuations(elements, texts, prompt.lines)
    return {
        spec.name: resolve(elements.get(spec.name), spec, prompt.lines, numbered=numbered) for spec in document.fields
    }
