"""Finding a typed value in a line, and the limits of what is repaired."""

import datetime
import json
import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocr_frontend.documents.types import ValueType, fold, make_type

DATE, HEIGHT, NIC, TEXT = (make_type(name) for name in ("date", "length", "mask", "text"))
SEX = make_type({"choice": {"values": ["M", "F"]}})
WORDED = make_type({"choice": {"values": ["M", "F"], "words": {"FEMALE": "F", "FEMININ": "F", "FEMME": "F"}}})
WRITTEN = make_type({"date": {"shapes": ["dMy"]}})
SIX, NINE, SEVENTEEN = (make_type({"digits": {"count": count}}) for count in (6, 9, 17))

CONFUSED = {"0": "OoO", "1": "Il|", "5": "SsS", "8": "BBB"}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
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
        ("15.08.1985 F", SEX, "F"),
        ("15.08.1985 M", SEX, "M"),
        ("FEMALE", WORDED, "F"),
        ("Féminin", WORDED, "F"),
        ("FEMME DE MENAGE", WORDED, None),
        ("12 août 1990", WRITTEN, "12.08.1990"),
        ("1 JUIL. 1990", WRITTEN, "01.07.1990"),
        ("3 JUIN 1990", WRITTEN, "03.06.1990"),
        ("3 FEVRIER 1990", WRITTEN, "03.02.1990"),
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
def test_the_part_that_has_the_form(text: str, kind: ValueType, value: str | float | None) -> None:
    found = kind.find(text)
    assert (found and found.value) == value
    assert found is None or found.exact


@pytest.mark.parametrize(
    ("text", "kind", "value"),
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
def test_a_damaged_number_is_given_as_read(text: str, kind: ValueType, value: str) -> None:
    found = kind.find(text)
    assert found is not None and (found.value, found.exact) == (value, False)


def test_a_repair_is_marked() -> None:
    repaired, exact = NINE.find("1234S678O"), NINE.find("123456780")
    assert repaired is not None and (repaired.value, repaired.repaired) == ("123456780", True)
    assert exact is not None and (exact.value, exact.repaired) == ("123456780", False)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (NINE, "357 256 400", "357256400"),
        (SIX, "015 196", "015196"),
        (SEVENTEEN, "2017 4718 0510 8572 4", "20174718051085724"),
        (SIX, "357 256 400", None),  # a part of a longer number
        (NINE, "2017 4718 0510 8572 4", None),
        (NINE, "820800686 27", "820800686"),  # what stands alone is a number whatever follows
    ],
)
def test_a_number_in_groups_is_whole_or_none(kind: ValueType, text: str, value: str | None) -> None:
    assert next((found.value for found in kind.finds(text)), None) == value


@given(
    st.dates(min_value=datetime.date(1900, 1, 1), max_value=datetime.date(2099, 12, 31)),
    st.sampled_from([".", ",", "/", "-", " ", "", ". "]),
    st.sampled_from(["", "DATE OF BIRTH ", "NE LE: "]),
)
def test_every_date_is_read_with_every_separator(day: datetime.date, separator: str, label: str) -> None:
    text = label + separator.join(day.strftime("%d %m %Y").split())
    found = DATE.find(text)
    assert found is not None and (found.value, found.exact) == (day.strftime("%d.%m.%Y"), True)
    assert DATE.normal(found.value) == day.isoformat()


@pytest.mark.parametrize(
    ("text", "value", "exact"),
    [
        ("1,6 8", 1.68, True),
        ("TAILLE 1.7 5 m", 1.75, True),
        ("1,6", 1.6, False),
        ("1,6 m", 1.6, False),
        ("1,7 12.03.2010", 1.7, False),
        ("1,7 5.03.2020", 1.7, False),
    ],
)
def test_a_height_that_lost_a_digit_is_told_and_one_with_a_gap_is_whole(text: str, value: float, exact: bool) -> None:
    found = HEIGHT.find(text)
    assert found is not None and (found.value, found.exact) == (value, exact)


@pytest.mark.parametrize("kind", [DATE, make_type({"date": {"as_printed": True}})])
@pytest.mark.parametrize(
    "damaged", ["112.03.1985", "12.03.19851", "12.03.1885", "12.03.2185", "12 03 1885", "31.02.1985"]
)
def test_what_is_no_day_has_no_normal_form(kind: ValueType, damaged: str) -> None:
    found = kind.find(damaged)
    assert found is not None and not found.exact and kind.normal(found.value) is None


@given(st.integers(40, 259), st.sampled_from(",."), st.sampled_from(["", "m", " m", " M"]))
def test_every_height(centimetres: int, separator: str, unit: str) -> None:
    text = f"{centimetres // 100}{separator}{centimetres % 100:02d}{unit}"
    found = HEIGHT.find(text)
    assert found is not None and found.value == HEIGHT.normal(found.value) == centimetres / 100


@given(st.sampled_from([6, 9, 17]), st.data())
def test_few_confused_digits_are_repaired(length: int, data: st.DataObject) -> None:
    digits = data.draw(st.text(string.digits, min_size=length, max_size=length))
    places = data.draw(st.sets(st.integers(0, length - 1), max_size=length // 3))
    read = "".join(
        data.draw(st.sampled_from(CONFUSED[digit])) if index in places and digit in CONFUSED else digit
        for index, digit in enumerate(digits)
    )
    found = make_type({"digits": {"count": length}}).find(read)
    assert found is not None and (found.value, found.repaired) == (digits, read != digits)


@given(st.text(string.ascii_letters + " '-ÉÈÇ", max_size=40))
def test_words_are_never_read_as_numbers(text: str) -> None:
    for kind in (DATE, HEIGHT, SIX, NINE, SEVENTEEN, NIC):
        assert kind.find(text) is None


FORMS = {
    "date": r"\d{2}\.\d{2}\.\d{4}",
    "choice": "[MF]",
    "mask": r"[A-Z]{2}\d{8}",
    "digits": r"[0-9]+",
    "length": r"[0-2]\.\d+",
}


@given(st.text(max_size=80))
@example("٠١.٠٢.١٩٩٠")
@example("²³.01.1990")
def test_any_text_gives_the_form_or_nothing(text: str) -> None:
    for kind in (DATE, SEX, HEIGHT, SIX, NINE, SEVENTEEN, NIC, TEXT):
        found = kind.find(text)
        if found is None or not found.exact:
            continue
        if kind is TEXT:
            assert found.value == fold(text)
        else:
            assert re.fullmatch(FORMS[kind.name], str(found.value))
        if kind is not TEXT:
            assert re.fullmatch(kind.grammar(), json.dumps(found.value, ensure_ascii=False))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("colour", "unknown type 'colour'"),
        ({"digits": {"count": 0}}, "1 to 64 digits"),
        ({"digits": {"length": 3}}, "does not take these parameters: length"),
        ({"choice": {}}, "needs its values"),
        ({"mask": {"pattern": "9A"}}, "letters .A. and then digits"),
        ({"date": {"shapes": ["mdy"]}}, "unknown date shapes mdy"),
        ({}, "a type is its name, such as `text`, or one name with its parameters"),
        (None, "a type is its name"),
        (5, "a type is its name"),
        (["text"], "a type is its name"),
        ({"text": None, "date": None}, "a type is its name"),
        ({"date": 5}, "the parameters of the type 'date' are names with their values"),
        ({"date": {"format": 5}}, "the parameter 'format' of the type 'date' is a text"),
        ({"date": {"shapes": "dmy"}}, "the parameter 'shapes' of the type 'date' is a list"),
        ({"date": {"shapes": [5, ["a"]]}}, "the type 'date' does not take such parameters: shapes"),
        ({"digits": {"count": True}}, "the parameter 'count' of the type 'digits' is a whole number"),
        ({"length": {"least": "low"}}, "the parameter 'least' of the type 'length' is a number"),
        ({"text": {"digits": 0}}, "the parameter 'digits' of the type 'text' is true or false"),
    ],
)
def test_a_type_that_cannot_be_made_is_named(given: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_type(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value", "number"),
    [("TOTAL RM 1,234.50", "1,234.50", 1234.5), ("12 .00", "12.00", 12.0), ("SST 6%", None, None), ("9", None, None)],
)
def test_amounts(text: str, value: str | None, number: float | None) -> None:
    kind = make_type("amount")
    found = kind.find(text)
    assert (found and found.value) == value
    assert kind.normal(found.value if found else None) == number


@pytest.mark.parametrize(
    ("text", "shape", "value", "normal"),
    [
        ("DATE: 05/3/18 14:22", "dmy2", "05/3/18", "2018-03-05"),
        ("2018-03-05", "ymd", "2018-03-05", "2018-03-05"),
        ("5 MAR 2018", "dMy", "5 MAR 2018", "2018-03-05"),
        ("31/02/18", "dmy2", None, None),
    ],
)
def test_dates_as_printed(text: str, shape: str, value: str | None, normal: str | None) -> None:
    kind = make_type({"date": {"shapes": [shape], "as_printed": True}})
    found = next(kind.finds(text), None)
    assert (found and found.value) == value
    assert kind.normal(found.value if found else None) == normal
