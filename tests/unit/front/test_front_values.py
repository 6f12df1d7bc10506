"""Finding a typed value in a line, and the limits of what is repaired."""

import datetime
import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocr_frontend.documents.registry import FieldSpec, Kind
from ocr_frontend.documents.values import Found, find_value, fold

DATE = FieldSpec("date", Kind.DATE)
SEX = FieldSpec("sex", Kind.SEX)
HEIGHT = FieldSpec("taille", Kind.HEIGHT)
SIX, NINE, SEVENTEEN = (FieldSpec("n", Kind.DIGITS, length) for length in (6, 9, 17))
NIC = FieldSpec("nic", Kind.NIC)
TEXT = FieldSpec("nom")

CONFUSED = {"0": "OoO", "1": "Il|", "5": "SsS", "8": "BBB"}


@pytest.mark.parametrize(
    ("text", "spec", "value"),
    [
        ("01.021990", DATE, "01.02.1990"),
        ("01021990", DATE, "01.02.1990"),
        ("O1.O2.199O", DATE, "01.02.1990"),
        ("01 02 1990", DATE, "01.02.1990"),
        ("12/03/2019", DATE, "12.03.2019"),
        ("DATE OF ISSUE12.03.2019", DATE, "12.03.2019"),
        ("05.11.2029 LT02", DATE, "05.11.2029"),
        ("29.02.2024", DATE, "29.02.2024"),
        ("Z7.03.1970", DATE, "27.03.1970"),
        ("3Q.05.1995", DATE, "30.05.1995"),
        ("202346387D1319207", SEVENTEEN, "20234638701319207"),
        ("NOM/SURNAME", DATE, None),
        ("", DATE, None),
        ("1,66m", HEIGHT, 1.66),
        ("1.74 m", HEIGHT, 1.74),
        ("l,7O m", HEIGHT, 1.70),
        ("F 1,66 M", HEIGHT, 1.66),
        ("TAILLE/HEIGHT1,75", HEIGHT, 1.75),
        ("166 cm", HEIGHT, 1.66),
        ("1m75", HEIGHT, 1.75),
        ("12.03.2019", HEIGHT, None),
        ("9,99", HEIGHT, None),
        ("TAILLE", HEIGHT, None),
        ("M", SEX, "M"),
        ("f", SEX, "F"),
        ("SEXE/SEX F", SEX, "F"),
        ("F 1,66 M", SEX, "F"),
        ("1,66 M", SEX, None),
        ("1,66M", SEX, None),
        ("SEXE/SEX", SEX, None),
        ("MARIE", SEX, None),
        ("012345", SIX, "012345"),
        ("S.P./S.M. 012345", SIX, "012345"),
        ("123 456 789", NINE, "123456789"),
        ("1234S678O", NINE, "123456780"),
        ("No123456789", NINE, "123456789"),
        ("2O19O123456789O12", SEVENTEEN, "20190123456789012"),
        ("AB12345678", NIC, "AB12345678"),
        ("AB 1234567O", NIC, "AB12345670"),
        ("A812345678", NIC, "AB12345678"),
        ("  NGO   MBARGA ", TEXT, "NGO MBARGA"),
    ],
)
def test_the_part_that_has_the_form(text: str, spec: FieldSpec, value: str | float | None) -> None:
    found = find_value(text, spec)
    assert (found and found.value) == value
    assert found is None or found.exact


@pytest.mark.parametrize(
    ("text", "spec", "value"),
    [
        ("31.02.2019", DATE, "31.02.2019"),
        ("12.03.201", DATE, "12.03.201"),
        ("EXPIRY: G2.03.2019.", DATE, "G2.03.2019"),
        ("No 1234 5678", NINE, "1234 5678"),
        ("12345678", NINE, "12345678"),
        ("1234567890", NINE, "1234567890"),
        ("2019012345678901", SEVENTEEN, "2019012345678901"),
    ],
)
def test_a_damaged_number_is_given_as_read(text: str, spec: FieldSpec, value: str) -> None:
    assert find_value(text, spec) == Found(value, exact=False)


def test_a_repair_is_marked() -> None:
    assert find_value("1234S678O", NINE) == Found("123456780", repaired=True)
    assert find_value("123456780", NINE) == Found("123456780")


@given(
    st.dates(min_value=datetime.date(1900, 1, 1), max_value=datetime.date(2099, 12, 31)),
    st.sampled_from([".", ",", "/", "-", " ", "", ". "]),
    st.sampled_from(["", "DATE OF BIRTH ", "NE LE: "]),
)
def test_every_date_is_read_with_every_separator(day: datetime.date, separator: str, label: str) -> None:
    text = label + separator.join(day.strftime("%d %m %Y").split())
    assert find_value(text, DATE) == Found(day.strftime("%d.%m.%Y"))


@given(st.integers(40, 259), st.sampled_from(",."), st.sampled_from(["", "m", " m", " M"]))
def test_every_height(centimetres: int, separator: str, unit: str) -> None:
    text = f"{centimetres // 100}{separator}{centimetres % 100:02d}{unit}"
    assert find_value(text, HEIGHT) == Found(centimetres / 100)


@given(st.sampled_from([6, 9, 17]), st.data())
def test_few_confused_digits_are_repaired(length: int, data: st.DataObject) -> None:
    digits = data.draw(st.text(string.digits, min_size=length, max_size=length))
    places = data.draw(st.sets(st.integers(0, length - 1), max_size=length // 3))
    read = "".join(
        data.draw(st.sampled_from(CONFUSED[digit])) if index in places and digit in CONFUSED else digit
        for index, digit in enumerate(digits)
    )
    found = find_value(read, FieldSpec("n", Kind.DIGITS, length))
    assert found == Found(digits, repaired=read != digits)


@given(st.text(string.ascii_letters + " '-ÉÈÇ", max_size=40))
def test_words_are_never_read_as_numbers(text: str) -> None:
    for spec in (DATE, HEIGHT, SIX, NINE, SEVENTEEN, NIC):
        assert find_value(text, spec) is None


FORMS = {
    Kind.DATE: r"\d{2}\.\d{2}\.\d{4}",
    Kind.SEX: "[MF]",
    Kind.NIC: r"[A-Z]{2}\d{8}",
}


@given(st.text(max_size=80))
@example("٠١.٠٢.١٩٩٠")
@example("²³.01.1990")
def test_any_text_gives_the_form_or_nothing(text: str) -> None:
    for spec in (DATE, SEX, HEIGHT, SIX, NINE, SEVENTEEN, NIC, TEXT):
        found = find_value(text, spec)
        if found is None or not found.exact:
            continue
        if spec.kind is Kind.HEIGHT:
            assert isinstance(found.value, float) and 0.4 <= found.value <= 2.6
        elif spec.kind is Kind.DIGITS:
            assert re.fullmatch(rf"[0-9]{{{spec.length}}}", str(found.value))
        elif spec.kind is Kind.TEXT:
            assert found.value == fold(text)
        else:
            assert re.fullmatch(FORMS[spec.kind], str(found.value))
