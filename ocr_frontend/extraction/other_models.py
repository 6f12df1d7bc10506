"""A picture that the model asked for does not know, but another one that is served does: the refusal names that one."""

from collections.abc import Iterable, Sequence

from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import Unprocessable
from ocr_frontend.extraction.knowledge import KnownModels
from ocr_frontend.llm.catalog import ModelCard
from ocr_frontend.ocr.textline import TextLine


def way_out(lines: Sequence[TextLine], asked: ModelCard, served: Iterable[ModelCard], models: KnownModels) -> str:
    """One sentence that names the model to ask, empty where none of them, or more than one document, fits.

    Looks at aliases only: an exact revision is of the same documents.
    """
    found: dict[str, str] = {}
    seen = {asked.contract_key}
    for card in served:
        if not card.has_adapter or "@" in card.id or card.contract_key in seen:
            continue
        seen.add(card.contract_key)
        spec = _shown(lines, card, models)
        if spec is not None:
            found.setdefault(spec.name, card.id)
    if len(found) != 1:
        return ""
    ((document, model),) = found.items()
    return f"The model {model} reads such a picture ({document}): send model={model}."


def _shown(lines: Sequence[TextLine], card: ModelCard, models: KnownModels) -> DocumentSpec | None:
    try:
        known = models.of(card)
        spec = known.classifier.detect(lines).document
        return spec if spec is not None and spec.name in known.contract.documents else None
    except Unprocessable:  # a contract that cannot be read
        return None
