"""Both sides of one card, compared where both say the same thing and put together."""

import datetime
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ocr_frontend.bodies.schemas import Extraction, WarningAnswer
from ocr_frontend.documents.registry import AUTO, Documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import UnknownDocument
from ocr_frontend.extraction import merge
from ocr_frontend.extraction.mrz import in_words_of
from ocr_frontend.extraction.response_builder import Answered, warning_answers
from ocr_frontend.extraction.warnings import Warning_

SIDES = ("recto", "verso")
# Parts of a zone whose names are standard names; what stands in its optional data is the document's own.
_PARTS = ("document_number", "birth_date", "expiry_date", "sex", "surname", "given_names")


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
    """The document of each side by name, `auto` where the pictures decide; version: a family, or what it ends in, the
    first one's where it is empty.

    Raises UnknownDocument.
    """
    if version == AUTO:
        return dict.fromkeys(SIDES, AUTO)
    families = {name: sides for name, sides in documents.families().items() if set(SIDES) <= sides.keys()}
    for name, sides in families.items():
        if version in ("", name, version_of(name)):
            return {side: sides[side].name for side in SIDES}
    known = ", ".join((AUTO, *sorted(map(version_of, families))))
    raise UnknownDocument(f"Unknown version; known are {known}.")


def version_of(family: str) -> str:
    """What a family's name ends in."""
    return family.rpartition("-")[2]


def together(request_id: str, sides: Mapping[str, Answered]) -> Card:
    """The fields of both sides in the order of their documents; see `merge` for what is put together."""
    versions = {side.spec.family for side in sides.values()}
    warnings = [
        Warning_("wrong_side", None, {"sent": sent, "shown": side.spec.side})
        for sent, side in sides.items()
        if side.spec.side != sent
    ]
    by_shown = {side.spec.side: side for side in sides.values()}
    merged = merge.Merged(None)
    if any(side.spec.side not in SIDES or not side.spec.family for side in sides.values()):
        warnings = [Warning_("not_two_sided")]
    elif len(versions) > 1:
        warnings.append(Warning_("versions_differ"))
    elif len(by_shown) < len(sides):
        warnings.append(Warning_("same_side_twice", None, {"shown": next(iter(by_shown))}))
    else:
        recto, verso = (by_shown[side] for side in SIDES)
        merged = merge.merge(_side(recto), _side(verso), _mrz(verso, recto.spec))
    return Card(
        id=request_id,
        document=versions.pop() or None if len(versions) == 1 else None,
        data=merged.data,
        sources=merged.sources,
        sides={sent: side.body for sent, side in sides.items()},
        compared=merged.compared,
        warnings=warning_answers((*warnings, *merged.warnings)),
    )


def _side(side: Answered) -> merge.Side:
    normal = {key: field.normalized for key, field in side.body.fields.items()}
    return merge.Side(
        side.body.data, normal, {field.key: field.standard for field in side.spec.fields if field.standard}
    )


def _mrz(verso: Answered, recto: DocumentSpec) -> merge.Mrz | None:
    """What the verso's zone says, in the recto's words.

    A day or a sex that the recto has no word for is left out; a number that it would not print so is another number.
    """
    mrz = verso.body.mrz
    if mrz is None:
        return None
    values, printed = dict[str, str](), dict[str, str]()
    for part, standard in _told(verso.spec):
        said = getattr(mrz, part, None)
        if not isinstance(said, datetime.date | str) or not said:
            continue
        values[standard] = printed[standard] = str(said)
        field = next((field for field in recto.fields if field.standard == standard), None)
        if field is None:
            continue
        found = in_words_of(field.type, said)
        if found is not None:
            normal = field.type.normal(found.value)
            printed[standard], values[standard] = str(found.value), str(found.value if normal is None else normal)
        elif isinstance(said, datetime.date) or part == "sex":
            del values[standard], printed[standard]
    return merge.Mrz(mrz.holds, values, printed, mrz.names_truncated)


def _told(spec: DocumentSpec) -> list[tuple[str, str]]:
    """Each part of the zone with what it is in any document: by its own name, and as the document file says."""
    machine = spec.machine_readable
    fields = [] if machine is None else [(part, spec.field(key)) for key, part in machine.fields.items()]
    own = [(part, field.standard) for part, field in fields if field is not None and field.standard]
    return [*((part, part) for part in _PARTS), *own]
