"""What a document file demands of its values, and the zone that outranks: told, never hidden."""

import datetime

import pytest

from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.types import Value
from ocr_frontend.extraction.checks import check, unknown_checks
from tests.unit.front.pages import spec

TODAY = datetime.date(2026, 6, 1)


def codes(name: str, **values: Value | None) -> set[tuple[str, str | None]]:
    return {(each.code, each.about) for each in check(spec(name), values, TODAY)}


@pytest.mark.parametrize(
    ("name", "values", "code", "field"),
    [
        ("cni-2018-recto", {"date_of_birth": "01.01.2030"}, "in_future", "date_of_birth"),
        ("cni-2018-recto", {"date_of_birth": "01.01.1901"}, "age_implausible", "date_of_birth"),
        ("cni-2018-recto", {"date_of_birth": "01.01.2020"}, "age_implausible", "date_of_birth"),
        ("cni-2018-recto", {"taille": 0.5}, "out_of_range", "taille"),
        ("cni-2018-recto", {"taille": 2.5}, "out_of_range", "taille"),
        ("cni-2018-verso", {"date_of_issue": "02.06.2026"}, "in_future", "date_of_issue"),
        ("cni-2018-verso", {"date_of_issue": "01.01.2036", "date_of_expiration": "01.01.2030"}, "not_after",
         "date_of_expiration"),
        ("cni-2018-verso", {"date_of_expiration": "31.05.2026"}, "expired", "date_of_expiration"),
        ("cni-2025-recto", {"date_of_expiration": "31.05.2026"}, "expired", "date_of_expiration"),
        ("cni-2018-verso", {"date_of_issue": "01.01.2020", "identifiant_unique": "20190123456789012"}, "year_differs",
         "identifiant_unique"),
    ],
)  # fmt: skip
def test_what_contradicts_is_said(name: str, values: dict[str, Value], code: str, field: str) -> None:
    assert (code, field) in codes(name, **values)


def test_a_plausible_card_has_no_warnings() -> None:
    assert not codes("cni-2018-recto", date_of_birth="01.02.1990", taille=1.66)
    issued: dict[str, Value] = {"date_of_issue": "01.01.2020", "date_of_expiration": "01.01.2030"}
    assert not codes("cni-2018-verso", identifiant_unique="20201234567890123", **issued)


def test_values_that_are_missing_or_damaged_contradict_nothing() -> None:
    assert not codes("cni-2018-recto", date_of_birth="31.02.1990", taille=None)
    assert not codes("cni-2018-verso", date_of_issue="0l.2020", date_of_expiration="01.01.2030")


def test_every_check_of_every_document_exists() -> None:
    assert unknown_checks(builtin().every.values()) == set()
