"""What stands beside a value: its normalised form, and warnings where fields contradict each other or the zone.

Nothing is changed here but one thing: a NIC number that the zone's check digits vouch for takes the place of the
model's, with source `mrz`, and with a warning where the two differ.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ocr_frontend.documents.machine_readable import MachineReadable
from ocr_frontend.documents.registry import Document, FieldSpec, Kind
from ocr_frontend.documents.values import Value
from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.ocr.textline import TextLine

BORN_LATE = "The date of birth lies in the future."
AGE = "The age that follows from the date of birth is not plausible."
ISSUED_LATE = "The date of issue lies in the future."
ISSUED_BEFORE_BIRTH = "The date of issue is not after the date of birth."
EXPIRES_EARLY = "The date of expiration is not after the date of issue."
EXPIRES_BEFORE_BIRTH = "The date of expiration is not after the date of birth."
HEIGHT = "The height is not plausible."
YEAR_OF_ISSUE = "The unique identifier does not begin with the year of issue."
ZONE_DIFFERS = "The machine-readable zone says otherwise; its check digits hold, so its value is given."
ISSUED_AFTER_ZONE_EXPIRY = "The date of issue is not before the expiry in the machine-readable zone."
ISSUED_BEFORE_ZONE_BIRTH = "The date of issue is not after the birth in the machine-readable zone."
_AGES = (10, 115)  # years
_HEIGHTS = (0.9, 2.3)  # metres
_NIC = "identifiant_unique"


def normalized(value: Value | None, spec: FieldSpec) -> str | float | None:
    """ISO 8601 for a date, metres for a height; None where there is no such form."""
    if spec.kind is Kind.DATE:
        day = _day(value)
        return None if day is None else day.isoformat()
    return value if spec.kind is Kind.HEIGHT else None


def with_zone(
    document: Document, fields: Mapping[str, Resolved], zone: MachineReadable | None, lines: Sequence[TextLine]
) -> dict[str, Resolved]:
    """The fields, with the NIC number of a zone whose check digits hold. `lines` are those that the zone counts."""
    kept = dict(fields)
    if zone is None or not zone.holds or not zone.optional_data or document.name != "cni-2025-verso":
        return kept
    old, line = kept[_NIC], lines[zone.lines[0]]
    warnings = (ZONE_DIFFERS,) if old.value not in (None, zone.optional_data) else ()
    if old.value != zone.optional_data:
        old = replace(old, box=line.box, score=line.confidence, warnings=warnings)
    kept[_NIC] = replace(old, value=zone.optional_data, source="mrz", warnings=warnings)
    return kept


def with_warnings(
    fields: Mapping[str, Resolved], zone: MachineReadable | None, today: datetime.date | None = None
) -> dict[str, Resolved]:
    """The fields, each with the warnings that follow from the others."""
    found = _warnings(fields, zone, today or datetime.date.today())
    return {
        name: replace(field, warnings=(*field.warnings, *(text for at, text in found if at == name)))
        for name, field in fields.items()
    }


def _warnings(
    fields: Mapping[str, Resolved], zone: MachineReadable | None, today: datetime.date
) -> list[tuple[str, str]]:
    birth, issue, expiry = (_day(_value(fields, f"date_of_{name}")) for name in ("birth", "issue", "expiration"))
    age = None if birth is None else (today - birth).days / 365.25
    height, unique = _value(fields, "taille"), _value(fields, _NIC)
    born, ends = (zone.birth_date, zone.expiry_date) if zone else (None, None)
    rules = (
        ("date_of_birth", BORN_LATE, birth and birth > today),
        ("date_of_birth", AGE, age is not None and age >= 0 and not _AGES[0] <= age <= _AGES[1]),
        ("date_of_issue", ISSUED_LATE, issue and issue > today),
        ("date_of_issue", ISSUED_BEFORE_BIRTH, birth and issue and issue <= birth),
        ("date_of_issue", ISSUED_BEFORE_ZONE_BIRTH, born and issue and issue <= born),
        ("date_of_issue", ISSUED_AFTER_ZONE_EXPIRY, ends and issue and issue >= ends),
        ("date_of_expiration", EXPIRES_EARLY, issue and expiry and expiry <= issue),
        ("date_of_expiration", EXPIRES_BEFORE_BIRTH, birth and expiry and expiry <= birth),
        ("taille", HEIGHT, isinstance(height, float) and not _HEIGHTS[0] <= height <= _HEIGHTS[1]),
        (_NIC, YEAR_OF_ISSUE, issue and _is_long(unique) and str(unique)[:4] != f"{issue.year}"),
    )
    return [(name, text) for name, text, broken in rules if broken]


def _is_long(value: Value | None) -> bool:
    """Whether it is the identifier of 2018, seventeen digits."""
    return isinstance(value, str) and len(value) == 17 and value.isdigit()


def _value(fields: Mapping[str, Resolved], name: str) -> Value | None:
    return fields[name].value if name in fields else None


def _day(value: Value | None) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(str(value), "%d.%m.%Y").date()
    except ValueError:
        return None
