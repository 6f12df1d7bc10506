"""What can be asked for: the front's documents and those that served models bring, and which models read them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ocr_frontend.documents.registry import Documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import Unprocessable
from ocr_frontend.extraction.knowledge import usable
from ocr_frontend.llm.catalog import ModelCard


@dataclass(frozen=True, slots=True)
class Offered:
    """models: by id, in the server's order."""

    spec: DocumentSpec
    models: tuple[str, ...]


def offered(documents: Documents, cards: Iterable[ModelCard]) -> list[Offered]:
    """The front's own first. Of one name the front's counts, else that of the first model.

    A contract takes a tenth of a millisecond and is read once, however many revisions share it.
    """
    specs, models = dict(documents.readable), defaultdict[str, list[str]](list)
    read: dict[str, Mapping[str, DocumentSpec]] = {}
    for card in cards:
        if card.contract_key not in read:
            read[card.contract_key] = _read_by(card, documents)
        for name, spec in read[card.contract_key].items():
            specs.setdefault(name, spec)
            models[name].append(card.id)
    return [Offered(spec, tuple(models[name])) for name, spec in specs.items()]


def _read_by(card: ModelCard, documents: Documents) -> Mapping[str, DocumentSpec]:
    """By name; none where the contract cannot be used."""
    try:
        contract = card.contract()
        known = documents if contract is None else usable(card, contract, documents)
    except Unprocessable:
        return {}
    names = known.readable if contract is None else contract.documents
    return {name: spec for name in names if (spec := known.find(name)) is not None}
