"""Fields of a card by rules: labels are found although damaged, values stand under or beside them or have a form."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from adapters.data.documents import DIGITS, DocumentName, FieldType, fields_of

_LABELS: dict[str, tuple[str, ...]] = {
    "nom_surname": ("NOMSURNAME",),
    "prenom_given_name": ("PRENOMSGIVENNAMES", "GIVENNAMES", "PRENOMS"),
    "date_of_birth": ("DATEDENAISSANCEDATEOFBIRTH", "DATEDENAISSANCE", "DATEOFBIRTH"),
    "lieu_of_birth": ("LIEUDENAISSANCEPLACEOFBIRTH", "LIEUDENAISSANCE", "PLACEOFBIRTH"),
    "sex": ("SEXESEX",),
    "taille": ("TAILLEHEIGHT", "HEIGHT", "TAILLE"),
    "profession": ("PROFESSIONOCCUPATION", "PROFESSION", "OCCUPATION"),
    "pere_father": ("PEREFATHER", "NOMDUPEREFATHERSNAME"),
    "mere_mother": ("MEREMOTHER", "NOMDELAMEREMOTHERSNAME"),
    "sp_sm": ("SPSM",),
    "date_of_issue": ("DATEDEDELIVRANCE", "DATEOFISSUE", "DATEDEDELIVRANCEDATEOFISSUE"),
    "date_of_expiration": ("DATEDEXPIRATION", "DATEOFEXPIRY", "DATEDEXPIRATIONDATEOFEXPIRY"),
    "identifiant_unique": ("IDENTIFIANTUNIQUE", "UNIQUEIDENTIFIER", "NUMEROCNINICNUMBER", "NICNUMBER"),
    "authorité": ("AUTORITEAUTHORITY", "LEDGSNTHEDGNS", "LEDGSN", "THEDGNS"),
}
_OTHERS = (
    "REPUBLIQUEDUCAMEROUN", "REPUBLICOFCAMEROON", "CARTENATIONALEDIDENTITE", "NATIONALIDENTITYCARD", "SIGNATURE",
    "SPECIMEN", "HOLDERSSIGNATURE", "ADRESSEADDRESS", "POSTEDIDENTIFICATION", "IDENTIFICATIONPOST", "DGSN", "TRAVAIL",
    "PATRIE", "PAIX", "CAMEROUNCAMEROON", "CMR",
)  # fmt: skip
_ALIKE = 84.0  # percent
_FORMS: dict[str, str] = {
    "date": r"(?<!\d)(\d{2})[ .,/-]?(\d{2})[ .,/-]?(\d{4})(?!\d)",
    "sex": r"(?<!\w)([MF])(?!\w)",
    "height": r"(?<!\d)([12])[.,]?(\d{2}) ?m?(?!\w)",
    **{kind: rf"(?<!\d)(\d{{{count}}})(?!\d)" for kind, count in DIGITS.items()},
    "nic": r"(?<!\w)([A-Z]{2}\d{8})(?!\d)",
}
_JOINTS = {"date": ".", "height": "."}


@dataclass(frozen=True)
class Line:
    """One OCR line and its corners, clockwise from the top left of its text."""

    text: str
    box: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class _Place:
    left: float
    right: float
    middle: float
    height: float


def extract(document: DocumentName, lines: Sequence[Line]) -> dict[str, str | None]:
    """Every field of the document; None where the rules find nothing."""
    places = _places(lines)
    owners = [_owner(line.text, document) for line in lines]
    return {key: _value(key, kind, lines, places, owners) for key, kind in fields_of(document).items()}


def _value(
    key: str, kind: FieldType, lines: Sequence[Line], places: Sequence[_Place], owners: Sequence[str | None]
) -> str | None:
    """What stands nearest to the field's label; a number or date of a form of its own even without one."""
    values = {i: value for i, line in enumerate(lines) if (value := _read(kind, line.text, owners[i])) is not None}
    labels = [i for i, owner in enumerate(owners) if owner == key]
    reach = {i: min((_distance(places[label], places[i]) for label in labels), default=math.inf) for i in values}
    near = min(reach, key=lambda i: reach[i], default=None)
    if near is not None and reach[near] < math.inf:
        more = _goes_on(near, values, places) if kind == "text" else None
        return values[near] if more is None else f"{values[near]} {values[more]}"
    for label in labels:  # a value in its label's own line
        if kind != "text" and label in values:
            return values[label]
    alone = kind not in ("text", "sex") and len(set(values.values())) == 1
    return next(iter(values.values())) if alone else None


def _goes_on(upper: int, values: Mapping[int, str], places: Sequence[_Place]) -> int | None:
    """The second line of a long value, right under the first."""
    top = places[upper]
    for other in values:
        down, aside = ((places[other].middle - top.middle) / top.height, (places[other].left - top.left) / top.height)
        if 0.6 < down < 1.5 and abs(aside) < 1 and 0.7 < places[other].height / top.height < 1.4:
            return other
    return None


def _read(kind: FieldType, text: str, owner: str | None) -> str | None:
    if kind == "text":
        return (
            " ".join(text.split()) if owner is None and not any(c.isdigit() for c in text) and len(text) > 1 else None
        )
    found = re.search(_FORMS[kind], text)
    return _JOINTS.get(kind, "").join(found.groups()) if found else None


def _owner(text: str, document: DocumentName) -> str | None:
    """The field whose label the line is, an empty string for a label of no field, None for a value."""
    plain = re.sub(r"[^A-Z]", "", text.upper())
    if len(plain) < 3:
        return None
    keys = fields_of(document)
    likeness = {
        (key, form): fuzz.ratio(plain, form) for key, forms in _LABELS.items() if key in keys for form in forms
    } | {("", form): fuzz.ratio(plain, form) for form in _OTHERS}
    (key, _), best = max(likeness.items(), key=lambda item: item[1])
    return key if best >= _ALIKE else None


def _distance(label: _Place, value: _Place) -> float:
    """In heights of the value's line, from a label to what stands under it or beside it; infinite elsewhere."""
    down, aside = (value.middle - label.middle) / value.height, (value.left - label.left) / value.height
    if 0.5 < down < 3 and abs(aside) < 6:
        return down + 0.3 * abs(aside)
    gap = (value.left - label.right) / value.height
    return 2 + 0.3 * gap if abs(down) <= 0.5 and 0 < gap < 12 else math.inf


def _places(lines: Sequence[Line]) -> list[_Place]:
    """Level coordinates: everything is turned by the mean slope of the lines."""
    x = sum(line.box[1][0] - line.box[0][0] for line in lines)
    y = sum(line.box[1][1] - line.box[0][1] for line in lines)
    size = math.hypot(x, y) or 1.0
    cosine, sine = x / size, y / size
    found = []
    for line in lines:
        across = [px * cosine + py * sine for px, py in line.box]
        down = [py * cosine - px * sine for px, py in line.box]
        found.append(_Place(min(across), max(across), sum(down) / len(down), max(1.0, max(down) - min(down))))
    return found
