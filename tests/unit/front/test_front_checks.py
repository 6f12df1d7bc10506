"""Normalised values, and fields that contradict each other or the zone: warnings, never changes."""

import datetime
from dataclasses import replace

import pytest

from ocr_frontend.documents.machine_readable import MachineReadable
from ocr_frontend.documents.registry import DOCUMENTS, FieldSpec, Kind
from ocr_frontend.extraction import checks
from ocr_frontend.extraction.checks import normalized, with_warnings, with_zone
from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.ocr.reader import TextLine

TODAY = datetime.date(2026, 6, 1)
VERSO = DOCUMENTS["cni-2025-verso"]
LINES = [TextLine("I<CMR…", 0.8, ((0, 0), (9, 0), (9, 9), (0, 9)))]
ZONE = MachineReadable(
    "TD1", "I", "CMR", "988889794", "DH37800202", datetime.date(1990, 5, 14), "M", datetime.date(2035, 4, 17), "CMR",
    None, None, (0,), True,
)  # fmt: skip


def fields(**values: str | float | None) -> dict[str, Resolved]:
    return {name: Resolved(value) for name, value in values.items()}


def test_normalised_values() -> None:
    assert normalized("01.02.1990", FieldSpec("d", Kind.DATE)) == "1990-02-01"
    assert normalized("31.02.1990", FieldSpec("d", Kind.DATE)) is None
    assert normalized(None, FieldSpec("d", Kind.DATE)) is None
    assert normalized(1.66, FieldSpec("t", Kind.HEIGHT)) == 1.66
    assert normalized("NGO", FieldSpec("n")) is None


@pytest.mark.parametrize(
    ("values", "name", "warning"),
    [
        ({"date_of_birth": "01.01.2030"}, "date_of_birth", checks.BORN_LATE),
        ({"date_of_birth": "01.01.1901"}, "date_of_birth", checks.AGE),
        ({"date_of_birth": "01.01.2020"}, "date_of_birth", checks.AGE),
        ({"date_of_issue": "02.06.2026"}, "date_of_issue", checks.ISSUED_LATE),
        ({"date_of_issue": "01.01.1980", "date_of_birth": "01.01.1990"}, "date_of_issue", checks.ISSUED_BEFORE_BIRTH),
        ({"date_of_issue": "01.01.2020", "date_of_expiration": "01.01.2020"}, "date_of_expiration",
         checks.EXPIRES_EARLY),
        ({"date_of_birth": "01.01.1990", "date_of_expiration": "01.01.1980"}, "date_of_expiration",
         checks.EXPIRES_BEFORE_BIRTH),
        ({"taille": 0.5}, "taille", checks.HEIGHT),
        ({"taille": 2.5}, "taille", checks.HEIGHT),
        ({"date_of_issue": "01.01.2020", "identifiant_unique": "20190123456789012"}, "identifiant_unique",
         checks.YEAR_OF_ISSUE),
    ],
)  # fmt: skip
def test_what_contradicts_is_said_and_kept(values: dict[str, str | float], name: str, warning: str) -> None:
    found = with_warnings(fields(**values), None, TODAY)
    assert {key: field.value for key, field in found.items()} == values
    assert found[name].warnings == (warning,)


def test_a_plausible_card_has_no_warnings() -> None:
    found = with_warnings(
        fields(
            date_of_birth="01.02.1990", date_of_issue="01.01.2020", date_of_expiration="01.01.2030", taille=1.66,
            identifiant_unique="20201234567890123",
        ),
        None,
        TODAY,
    )  # fmt: skip
    assert not any(field.warnings for field in found.values())
    damaged = with_warnings(fields(date_of_birth="31.02.1990", taille=None, date_of_issue="0l.2020"), None, TODAY)
    assert not any(field.warnings for field in damaged.values())


def test_the_zone_outranks_the_model() -> None:
    agreed = with_zone(VERSO, fields(identifiant_unique="DH37800202"), ZONE, LINES)["identifiant_unique"]
    assert (agreed.value, agreed.source, agreed.warnings) == ("DH37800202", "mrz", ())
    differs = with_zone(VERSO, fields(identifiant_unique="DH37800203"), ZONE, LINES)["identifiant_unique"]
    assert (differs.value, differs.source, differs.warnings) == ("DH37800202", "mrz", (checks.ZONE_DIFFERS,))
    assert (differs.box, differs.score) == (LINES[0].box, 0.8)
    absent = with_zone(VERSO, fields(identifiant_unique=None), ZONE, LINES)["identifiant_unique"]
    assert (absent.value, absent.source, absent.warnings) == ("DH37800202", "mrz", ())


@pytest.mark.parametrize("zone", [None, replace(ZONE, holds=False)])
def test_a_zone_that_does_not_hold_changes_nothing(zone: MachineReadable | None) -> None:
    given = fields(identifiant_unique="DH37800203")
    assert with_zone(VERSO, given, zone, LINES) == given


def test_the_zone_s_dates_are_compared_with_the_date_of_issue() -> None:
    early = with_warnings(fields(date_of_issue="01.01.1980"), ZONE, TODAY)["date_of_issue"]
    assert early.warnings == (checks.ISSUED_BEFORE_ZONE_BIRTH,)
    late = with_warnings(fields(date_of_issue="01.01.2036"), ZONE, TODAY)["date_of_issue"]
    assert checks.ISSUED_AFTER_ZONE_EXPIRY in late.warnings
