"""Both sides of one card, compared where both say the same thing and put together."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ocr_frontend.bodies.schemas import Extraction, WarningAnswer
from ocr_frontend.documents.registry import AUTO, Documents
from ocr_frontend.documents.spec import DocumentSpec, Words
from ocr_frontend.errors import UnknownDocument
from ocr_frontend.extraction import merge
from ocr_frontend.extraction.response_builder import warning_answers
from ocr_frontend.extraction.warnings import Warning_

SIDES = ("recto", "verso")


class Card(BaseModel):
    """`POST /v1/cards`.

    document: the card (`cni-2025`), null where the pictures are of two versions. data: the fields of both sides, null
    where they are not of one card; a field in which they contradict each other is null. sources: where each value of
    `data` was read. compared: the fields that both sides tell.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    document: str | None
    data: dict[str, str | float | None] | None
    sources: dict[str, Literal["recto", "verso", "mrz"]] = {}
    sides: dict[str, Extraction]
    compared: tuple[str, ...]
    warnings: tuple[WarningAnswer, ...]


def documents_of(documents: Documents, version: str) -> dict[str, str]:
    """The document of each side by name, `auto` where the pictures decide; version: a family, or what it ends in.

    Raises UnknownDocument.
    """
    if version == AUTO:
        return dict.fromkeys(SIDES, AUTO)
    families = documents.families()
    for name, sides in families.items():
        if version in (name, name.rpartition("-")[2]) and set(SIDES) <= sides.keys():
            return {side: sides[side].name for side in SIDES}
    known = ", ".join((AUTO, *sorted(name.rpartition("-")[2] for name in families)))
    raise UnknownDocument(f"Unknown version; known are {known}.")


def together(request_id: str, sides: Mapping[str, Extraction], documents: Documents) -> Card:
    """The fields of both sides in the order of their documents; see `merge` for what is put together."""
    specs = {side: _spec(answer, documents) for side, answer in sides.items()}
    versions = {spec.family for spec in specs.values()}
    warnings = [
        Warning_("wrong_side", None, {"sent": side, "shown": spec.side})
        for side, spec in specs.items()
        if spec.side != side
    ]
    by_shown = {spec.side: (sides[side], spec) for side, spec in specs.items()}
    merged = merge.Merged(None)
    if any(spec.side not in SIDES for spec in specs.values()):
        warnings = [Warning_("not_two_sided")]
    elif len(versions) > 1:
        warnings.append(Warning_("versions_differ"))
    elif len(by_shown) < len(sides):
        warnings.append(Warning_("same_side_twice", None, {"shown": next(iter(by_shown))}))
    else:
        verso = by_shown["verso"]
        merged = merge.merge(_side(*by_shown["recto"]), _side(*verso), _zone(verso[0]))
    return Card(
        id=request_id,
        document=versions.pop() if len(versions) == 1 else None,
        data=merged.data,
        sources=merged.sources,
        sides=dict(sides),
        compared=merged.compared,
        warnings=warning_answers((*warnings, *merged.warnings)),
    )


def _spec(answer: Extraction, documents: Documents) -> DocumentSpec:
    """The side's document; one that only a contract knows has no sides that could be put together."""
    found = documents.find(answer.document)
    return found or DocumentSpec(name=answer.document, title=Words(en=answer.document))


def _side(answer: Extraction, spec: DocumentSpec) -> merge.Side:
    normal = {key: field.normalized for key, field in answer.fields.items()}
    return merge.Side(answer.data, normal, {field.key: field.standard for field in spec.fields if field.standard})


def _zone(answer: Extraction) -> merge.Zone | None:
    zone = answer.mrz
    if zone is None:
        return None
    days = {"birth_date": zone.birth_date, "expiry_date": zone.expiry_date}
    texts = {
        "document_number": zone.document_number, "personal_number": zone.optional_data, "sex": zone.sex,
        "surname": zone.surname, "given_names": zone.given_names,
    }  # fmt: skip
    plain = {standard: text for standard, text in texts.items() if text}
    printed = plain | {standard: f"{day:%d.%m.%Y}" for standard, day in days.items() if day}
    values = plain | {standard: day.isoformat() for standard, day in days.items() if day}
    return merge.Zone(zone.holds, values, printed, zone.names_truncated)
