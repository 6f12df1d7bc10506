"""Both sides of one card: read one after the other, put together, and compared where both say the same thing."""

import unicodedata
from collections.abc import Mapping
from difflib import SequenceMatcher

from pydantic import BaseModel, ConfigDict

from ocr_frontend.api.schemas import Extraction
from ocr_frontend.documents.registry import AUTO, DOCUMENTS, Document
from ocr_frontend.errors import FrontError, UnknownDocument
from ocr_frontend.extraction.pipeline import Pipeline

SIDES = ("recto", "verso")
_VERSIONS = tuple(sorted({name.split("-")[1] for name in DOCUMENTS}))
# Names come from two readings of two prints, the zone's without accents and cut at its end.
_SAME_NAME = 0.6


class Card(BaseModel):
    """`POST /v1/cards`. `compared`: the fields that both sides tell; `document`: null where they are of two cards."""

    model_config = ConfigDict(frozen=True)

    id: str
    document: str | None
    data: dict[str, str | float | None]
    sides: dict[str, Extraction]
    compared: tuple[str, ...]
    warnings: tuple[str, ...]


def documents_of(version: str) -> dict[str, Document | None]:
    """The document of each side; None where the pictures decide. Raises UnknownDocument."""
    if version == AUTO:
        return dict.fromkeys(SIDES)
    if version not in _VERSIONS:
        raise UnknownDocument(f"Unknown version; known are {', '.join((AUTO, *_VERSIONS))}.")
    return {side: DOCUMENTS[f"cni-{version}-{side}"] for side in SIDES}


async def read_both(
    pipeline: Pipeline, request_id: str, images: Mapping[str, bytes], chosen: Mapping[str, Document | None], model: str
) -> Card:
    """Raises what `Pipeline.extract` raises, with the side's name before its sentence."""
    answers = {}
    for side in SIDES:
        try:
            answers[side] = await pipeline.extract(request_id, images[side], chosen[side], model)
        except FrontError as error:
            error.message = f"{side}: {error.message}"
            raise
    return together(request_id, answers)


def together(request_id: str, sides: Mapping[str, Extraction]) -> Card:
    """The fields of both sides in the order of their documents. No value is changed by the other side's."""
    recto, verso = (sides[side] for side in SIDES)
    versions = {answer.document.rpartition("-")[0] for answer in (recto, verso)}
    warnings = [
        f"The picture sent as {side} shows a {other}."
        for side, other in (SIDES, SIDES[::-1])
        if sides[side].document.endswith(other)
    ]
    if len(versions) > 1:
        warnings.append("The two pictures are of cards of different versions.")
    told = _told(recto, verso)
    differ = [name for name, same in told.items() if not same]
    if differ:
        warnings.append(f"The two sides do not seem to be of one person: {', '.join(differ)} differ.")
    if _issued_before_birth(recto, verso):
        warnings.append("The two sides do not seem to be of one person: issued before the birth.")
    return Card(
        id=request_id,
        document=versions.pop() if len(versions) == 1 else None,
        data=recto.data | {name: value for name, value in verso.data.items() if recto.data.get(name) is None},
        sides=dict(sides),
        compared=tuple(told),
        warnings=tuple(warnings),
    )


def _told(recto: Extraction, verso: Extraction) -> dict[str, bool]:
    """Whether the recto and the verso's zone agree, by each field that both tell. A 2018 verso repeats nothing."""
    zone = verso.mrz
    if zone is None:
        return {}
    dates = {"date_of_birth": zone.date_of_birth, "date_of_expiration": zone.date_of_expiration}
    pairs: dict[str, tuple[object, object]] = {
        name: (_iso(recto, name), day and day.isoformat()) for name, day in dates.items()
    }
    pairs["numero_de_carte"] = (recto.data.get("numero_de_carte"), zone.numero_de_carte)
    pairs["sex"] = (recto.data.get("sex"), zone.sex)
    told = {name: one == other for name, (one, other) in pairs.items() if one and other}
    names = {"nom_surname": zone.surname, "prenom_given_name": zone.given_names}
    for name, other in names.items():
        one = recto.data.get(name)
        if one and other:
            told[name] = _alike(str(one), other)
    return told


def _issued_before_birth(recto: Extraction, verso: Extraction) -> bool:
    birth, issue = _iso(recto, "date_of_birth"), _iso(verso, "date_of_issue")
    return bool(birth and issue and issue < birth)


def _iso(answer: Extraction, name: str) -> str | None:
    field = answer.fields.get(name)
    return None if field is None or field.normalized is None else str(field.normalized)


def _alike(one: str, other: str) -> bool:
    plain, shorter = _letters(one), _letters(other)
    return SequenceMatcher(None, plain[: max(len(shorter), 1)], shorter).ratio() >= _SAME_NAME


def _letters(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).upper() if "A" <= letter <= "Z")
