"""What is known of a model's documents: its contract, the documents that it brings, and how a picture of them is told.

Parsed and built once a contract, not once a card: the model server's list is asked for every few seconds, and what a
model wants hardly ever changes.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import AUTO, Documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import UnknownDocument, Unprocessable
from ocr_frontend.extraction.checks import faults
from ocr_frontend.llm.catalog import ModelCard
from ocr_frontend.llm.contract import Contract, built_in

_MOST = 64  # contracts


@dataclass(frozen=True, slots=True)
class Knowledge:
    """documents: the front's and the contract's; classifier: of all of them."""

    contract: Contract
    documents: Documents
    classifier: Classifier

    def chosen(self, name: str) -> DocumentSpec | None:
        """A document by name, None for `auto`. Raises UnknownDocument, also where the model was not trained for it."""
        if name == AUTO:
            return None
        spec = self.documents.find(name)
        if spec is None:
            raise UnknownDocument(f"Unknown document; known are {', '.join((AUTO, *self.documents.readable))}.")
        self.contract.of(name)
        return spec


class KnownModels:
    """Knowledge by contract, the most recently used ones. For any threads."""

    def __init__(self, documents: Documents) -> None:
        contract = built_in(documents)
        self._documents = documents
        self._own = Knowledge(contract, documents, Classifier(documents))
        self._known: OrderedDict[str, Knowledge] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, card: ModelCard) -> Knowledge:
        """The front's own where the card carries no contract. Raises Unprocessable for one that cannot be read."""
        if card.prompt is None:
            return self._own
        with self._lock:
            known = self._known.get(card.contract_key)
            if known is None:
                known = self._known[card.contract_key] = self._built(card)
                if len(self._known) > _MOST:
                    self._known.popitem(last=False)
            self._known.move_to_end(card.contract_key)
            return known

    def _built(self, card: ModelCard) -> Knowledge:
        contract = card.contract()
        assert contract is not None
        documents = usable(card, contract, self._documents)
        own = self._documents.every
        brings = any(spec is not own.get(name) for name, spec in documents.every.items())
        return Knowledge(contract, documents, Classifier(documents) if brings else self._own.classifier)


def usable(card: ModelCard, contract: Contract, own: Documents) -> Documents:
    """The front's documents and those that the card's contract brings. Raises Unprocessable where one is wrong."""
    documents = contract.known(own)
    if wrong := faults(documents.every.values()):
        raise Unprocessable(f"A document of the model {card.id} cannot be used: {wrong[0]}.")
    return documents
