"""What a document file demands of its values, and the zone that outranks: told, never hidden."""

import datetime
from typing import Any

import pytest

from ocr_frontend.documents.machine_readable import MachineReadable
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import DocumentSpec, parse_spec
from ocr_frontend.documents.types import Value
from ocr_frontend.extraction.checks import check, faults
from ocr_frontend.extraction.mrz import with_mrz
from ocr_frontend.extraction.resolve import Resolved
from tests.unit.front.pages import line, spec

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
        ("cni-2018-verso", {"date_of_expiration": "31.05.2098"}, "far_off", "date_of_expiration"),
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
    assert faults(builtin().every.values()) == []


def bounded(**parameters: Any) -> DocumentSpec:
    """A document with a length and a date, of which one check is made."""
    fields = [{"key": "height", "type": "length"}, {"key": "until", "type": "date"}, {"key": "other", "type": "date"}]
    return parse_spec({"name": "permit", "title": {"en": "a permit"}, "fields": fields, "checks": [parameters]})


@pytest.mark.parametrize(
    ("given", "values", "says"),
    [
        ({"code": "out_of_range", "field": "height", "least": 0.9}, {"height": 0.5}, "(≥ 0.9)"),
        ({"code": "out_of_range", "field": "height", "most": 2}, {"height": 2.5}, "(≤ 2)"),
        ({"code": "out_of_range", "field": "height", "least": 0.9, "most": 2.3}, {"height": 2.5}, "(0.9–2.3)"),
        ({"code": "far_off", "field": "until", "most": 0}, {"until": "01.01.2027"}, "more than 0 years"),
        ({"code": "age_implausible", "field": "until", "least": 18}, {"until": "01.01.2020"}, "not plausible"),
        ({"code": "not_after", "field": "until", "other": "other"}, {"until": "01.01.2020", "other": "01.01.2020"},
         "not after other"),
    ],
)  # fmt: skip
def test_a_check_says_its_sentence_with_what_the_file_gives(
    given: dict[str, Any], values: dict[str, Value | None], says: str
) -> None:
    spec = bounded(**given)
    assert faults([spec]) == []
    [warning] = check(spec, values, TODAY)
    assert says in warning.message and "{" not in warning.message
    assert {name: warning.params[name] for name in ("least", "most") if name in given}.items() <= given.items()


def test_bounds_that_the_file_leaves_out_are_said() -> None:
    spec = bounded(code="far_off", field="until")
    [warning] = check(spec, {"until": "01.01.2099"}, datetime.date(1998, 1, 1))
    assert warning.message == "The date lies more than 100 years ahead."
    assert check(spec, {"until": "01.01.2099"}, TODAY) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"code": "out_of_range", "field": "height"}, "permit: the check out_of_range of height needs least or most"),
        ({"code": "not_after", "field": "until"}, "permit: the check not_after of until needs other"),
        ({"code": "year_differs", "field": "height"}, "permit: the check year_differs of height needs other"),
        ({"code": "tomorrow", "field": "until"}, "permit: there is no check tomorrow; there are in_future, "),
    ],
)
def test_a_check_that_cannot_be_made_is_named(given: dict[str, Any], says: str) -> None:
    [told] = faults([bounded(**given)])
    assert told.startswith(says)


FOUND = MachineReadable(
    format="TD1", document_code="I", issuing_state="CMR", document_number=None, optional_data=None,
    birth_date=datetime.date(1990, 2, 1), sex="F", expiry_date=None, nationality="CMR", surname="NGO",
    given_names="ELISE", lines=(0,), holds=True,
)  # fmt: skip


def with_zone(**read: Value | None) -> dict[str, Resolved]:
    """A document whose zone has a birth date, which is printed in words, and a sex and a surname."""
    fields = [
        {"key": "born", "type": {"date": {"shapes": ["dMy"]}}},
        {"key": "sex", "type": {"choice": {"values": ["M", "F"]}}},
        {"key": "name"},
    ]
    told = {"format": "TD1", "fields": {"born": "birth_date", "sex": "sex", "name": "surname"}}
    spec = parse_spec({"name": "permit", "title": {"en": "a permit"}, "fields": fields, "machine_readable": told})
    given = {key: Resolved(read.get(key)) for key in ("born", "sex", "name")}
    return with_mrz(spec, given, FOUND, [line("I<CMR", 0)])


def test_a_zone_outranks_with_what_its_check_digits_cover_alone() -> None:
    read = with_zone(born="03.04.1991", sex="M", name="NGOH")
    assert [each.value for each in read.values()] == ["01.02.1990", "M", "NGOH"] and read["born"].codes == {"mrz_used"}
    empty = with_zone()
    assert [each.value for each in empty.values()] == ["01.02.1990", "F", "NGO"]
    assert [each.codes for each in empty.values()] == [{"mrz_used"}, {"mrz_unchecked"}, {"mrz_unchecked"}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": [{"key": "a", "type": {"choice": {"values": [True, False]}}}]},
        {"fields": [{"key": "a", "type": {"choice": {"values": ["M"], "words": {"FEMALE": "F"}}}}]},
        {"machine_readable": {"format": "TD1", "shapes": {"document_number": "NNN"}}},
    ],
)
def test_what_a_file_cannot_say_is_refused_when_it_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        parse_spec({"name": "permit", "title": {"en": "a permit"}, "fields": [{"key": "a"}]} | wrong)
