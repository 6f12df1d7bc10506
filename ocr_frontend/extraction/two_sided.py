"""Both sides of one card: decoded, read one after the other, compared where both say the same thing, put together."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ocr_frontend.api.schemas import Extraction, WarningAnswer
from ocr_frontend.documents.registry import AUTO, DOCUMENTS, Document
from ocr_frontend.errors import FrontError, UnknownDocument
from ocr_frontend.extraction import merge
from ocr_frontend.extraction.pipeline import Pipeline
from ocr_frontend.ocr.contents import Sent

SIDES = ("recto", "verso")
_VERSIONS = tuple(sorted({name.split("-")[1] for name in DOCUMENTS}))
# What a field is in any document; the zone's names of its own parts are the same.
_STANDARDS = {
    "nom_surname": "surname", "prenom_given_name": "given_names", "date_of_birth": "birth_date", "sex": "sex",
    "numero_de_carte": "document_number", "date_of_expiration": "expiry_date", "date_of_issue": "issue_date",
    "identifiant_unique": "personal_number",
}  # fmt: skip
_NAMES_OF_ZONE = 30 - len("<<")  # letters, in a TD1
MESSAGES = {
    "wrong_side": "The picture sent as {sent} shows a {shown}.",
    "same_side_twice": "Both pictures show a {shown}; nothing was put together.",
    "versions_differ": "The two pictures are of cards of different versions; nothing was put together.",
    "sides_differ": "The two sides do not say the same; neither value is given.",
    "mrz_used": "The machine-readable zone says otherwise; its check digits hold, so its value is given.",
    "name_spelled_otherwise": "The two sides spell the name differently; the front's spelling is given.",
    "issued_before_birth": "The date of issue is not after the date of birth.",
    "issued_after_expiry": "The date of issue is not before the date of expiration.",
}


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


def documents_of(version: str) -> dict[str, Document | None]:
    """The document of each side; None where the pictures decide. Raises UnknownDocument."""
    if version == AUTO:
        return dict.fromkeys(SIDES)
    if version not in _VERSIONS:
        raise UnknownDocument(f"Unknown version; known are {', '.join((AUTO, *_VERSIONS))}.")
    return {side: DOCUMENTS[f"cni-{version}-{side}"] for side in SIDES}


async def read_both(
    pipeline: Pipeline,
    request_id: str,
    images: Mapping[str, bytes | Sent],
    chosen: Mapping[str, Document | None],
    model: str,
) -> Card:
    """Both are decoded before either is read: a damaged verso costs no reading of the recto.

    Raises what `Pipeline.extract` raises, with the side's name before its sentence.
    """
    answers = {}
    for step in ("check", "extract"):
        for side in SIDES:
            try:
                if step == "check":
                    await pipeline.check(images[side])
                else:
                    answers[side] = await pipeline.extract(request_id, images[side], chosen[side], model)
            except FrontError as error:
                error.message = f"{side}: {error.message}"
                raise
    return together(request_id, answers)


def together(request_id: str, sides: Mapping[str, Extraction]) -> Card:
    """The fields of both sides in the order of their documents; see `merge` for what is put together."""
    shown = {side: answer.document.rpartition("-") for side, answer in sides.items()}
    versions = {version for version, _, _ in shown.values()}
    warnings = [
        merge.Conflict("wrong_side", None, {"sent": side, "shown": other})
        for side, (_, _, other) in shown.items()
        if other != side and other in SIDES
    ]
    by_shown = {other: sides[side] for side, (_, _, other) in shown.items()}
    merged = merge.Merged(None)
    if len(versions) > 1:
        warnings.append(merge.Conflict("versions_differ"))
    elif len(by_shown) < len(sides):
        warnings.append(merge.Conflict("same_side_twice", None, {"shown": next(iter(by_shown))}))
    else:
        verso = by_shown["verso"]
        merged = merge.merge(_side(by_shown["recto"]), _side(verso), _zone(verso))
    return Card(
        id=request_id,
        document=versions.pop() if len(versions) == 1 else None,
        data=merged.data,
        sources=merged.sources,
        sides=dict(sides),
        compared=merged.compared,
        warnings=tuple(_answer(conflict) for conflict in (*warnings, *merged.warnings)),
    )


def _side(answer: Extraction) -> merge.Side:
    normal = {key: field.normalized for key, field in answer.fields.items()}
    return merge.Side(answer.data, normal, {key: _STANDARDS[key] for key in answer.data if key in _STANDARDS})


def _zone(answer: Extraction) -> merge.Zone | None:
    zone = answer.mrz
    if zone is None:
        return None
    days = {"birth_date": zone.date_of_birth, "expiry_date": zone.date_of_expiration}
    texts = {
        "document_number": zone.numero_de_carte, "personal_number": zone.identifiant_unique, "sex": zone.sex,
        "surname": zone.surname, "given_names": zone.given_names,
    }  # fmt: skip
    plain = {standard: text for standard, text in texts.items() if text}
    printed = plain | {standard: f"{day:%d.%m.%Y}" for standard, day in days.items() if day}
    values = plain | {standard: day.isoformat() for standard, day in days.items() if day}
    cut = len((zone.surname or "") + (zone.given_names or "")) >= _NAMES_OF_ZONE
    return merge.Zone(zone.holds, values, printed, cut)


def _answer(conflict: merge.Conflict) -> WarningAnswer:
    message = MESSAGES[conflict.code].format_map(conflict.params)
    return WarningAnswer(code=conflict.code, field=conflict.key, message=message, params=dict(conflict.params))
