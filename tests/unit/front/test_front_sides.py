"""Recto and verso put together: two people or two cards never become one, a holding zone outranks the recto."""

from datetime import date
from typing import Any

import pytest

from ocr_frontend.bodies.schemas import Extraction, FieldAnswer, MrzAnswer, OcrAnswer, QualityAnswer
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import parse_spec
from ocr_frontend.errors import UnknownDocument
from ocr_frontend.extraction import two_sided
from ocr_frontend.extraction.response_builder import Answered
from ocr_frontend.extraction.same_name import compare_names
from ocr_frontend.extraction.two_sided import documents_of

ZONE = MrzAnswer(
    format="TD1", document_code="I", issuing_state="CMR", nationality="CMR", holds=True, document_number="123456789",
    optional_data="AB12345678", birth_date=date(1990, 2, 1), expiry_date=date(2035, 1, 1), sex="F",
    surname="NGO MBARGA", given_names="ELISE",
)  # fmt: skip
NO_ZONE = ZONE.model_copy(update={"holds": False, "optional_data": None})
RECTO = {
    "numero_de_carte": "123456789", "nom_surname": "NGO MBARGA", "prenom_given_name": "ÉLISE",
    "date_of_birth": "01.02.1990", "sex": "F", "date_of_expiration": "01.01.2035",
}  # fmt: skip
VERSO = {"pere_father": "ABENA", "date_of_issue": "01.01.2025", "identifiant_unique": "AB12345678"}


def answer(document: str, values: dict[str, Any], zone: MrzAnswer | None = None) -> Extraction:
    data = {name: values.get(name) for name in builtin().readable[document].keys}
    fields = {
        name: FieldAnswer(
            value=value, confidence=None, box=None,
            normalized="-".join(reversed(value.split("."))) if name.startswith("date") and value else None,
        )
        for name, value in data.items()
    }  # fmt: skip
    return Extraction(
        id="1", document=document, model="cni", data=data, fields=fields, ocr=OcrAnswer(lines=(), size=(1, 1)),
        timings_ms={}, usage={}, mrz=zone, quality=QualityAnswer(ok=True, checks={}),
    )  # fmt: skip


def together(sides: dict[str, Extraction]) -> Any:
    specs = builtin().readable
    return two_sided.together("1", {side: Answered(each, specs[each.document]) for side, each in sides.items()})


def card(recto: dict[str, Any], zone: MrzAnswer | None, **verso: Any) -> Any:
    sides = {"recto": answer("cni-2025-recto", recto), "verso": answer("cni-2025-verso", VERSO | verso, zone)}
    return together(sides)


def codes(both: Any) -> list[tuple[str, str | None]]:
    return [(warning.code, warning.field) for warning in both.warnings]


def test_one_person() -> None:
    both = card(RECTO, ZONE)
    assert both.document == "cni-2025" and both.warnings == ()
    assert set(both.compared) == set(RECTO)
    assert both.data == {**RECTO, **answer("cni-2025-verso", VERSO).data}
    assert both.sources["date_of_birth"] == "mrz" and both.sources["nom_surname"] == "recto"
    assert both.sources["pere_father"] == "verso" and "profession" not in both.sources


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({"numero_de_carte": "123456780"}, {"numero_de_carte": "123456789"}),
        ({"date_of_birth": "01.02.1998"}, {"date_of_birth": "01.02.1990"}),
        ({"date_of_expiration": "01.07.2035"}, {"date_of_expiration": "01.01.2035"}),
        ({"sex": "M"}, {"sex": "F"}),
        ({"numero_de_carte": "12345678"}, {"numero_de_carte": "123456789"}),
        ({"date_of_birth": "01.01.2035"}, {"date_of_birth": "01.02.1990"}),
        ({"numero_de_carte": "123456780", "date_of_birth": "01.02.1998"}, RECTO),
    ],
)
def test_a_holding_zone_outranks_the_recto(change: dict[str, str], right: dict[str, str]) -> None:
    both = card(RECTO | change, ZONE)
    assert codes(both) == [("mrz_used", name) for name in change]
    assert both.data.items() >= right.items() and all(both.sources[name] == "mrz" for name in change)


def test_a_holding_zone_fills_what_the_recto_leaves_open_but_no_name() -> None:
    both = card({}, ZONE)
    assert both.warnings == () and both.compared == ()
    names = ("nom_surname", "prenom_given_name")
    assert {name: both.data[name] for name in RECTO} == RECTO | dict.fromkeys(names)
    assert all(both.sources[name] == "mrz" for name in RECTO if name not in names)
    assert all(card({}, NO_ZONE).data[name] is None for name in RECTO)


@pytest.mark.parametrize("zone", [ZONE, NO_ZONE])
@pytest.mark.parametrize(
    "change",
    [
        {"nom_surname": "NGO MBAPPE"},
        {"nom_surname": "TCHOUPO"},
        {"prenom_given_name": "PAUL"},
        {"nom_surname": "TCHOUPO", "numero_de_carte": "987654321", "date_of_birth": "12.11.1971"},
        {"numero_de_carte": "987654321", "date_of_birth": "12.11.1971"},
        {"numero_de_carte": "987654321", "date_of_expiration": "31.12.2026"},
        {"numero_de_carte": "987654321"},
        {"date_of_birth": "12.11.1961"},
        {"date_of_expiration": "15.08.2025"},
    ],
)
def test_two_people_and_two_cards_are_never_one(change: dict[str, str], zone: MrzAnswer) -> None:
    both = card(RECTO | change, zone)
    assert both.data is None and both.sources == {}
    assert set(codes(both)) == {("sides_differ", name) for name in change}
    assert both.sides["recto"].data.items() >= change.items()  # what was read stands there
    assert not any(value in warning.model_dump_json() for value in change.values() for warning in both.warnings)


@pytest.mark.parametrize("change", [{"sex": "M"}, {"numero_de_carte": "123456780"}, {"date_of_birth": "01.02.1998"}])
def test_where_no_check_digit_decides_neither_value_is_given(change: dict[str, str]) -> None:
    both = card(RECTO | change, NO_ZONE)
    (name,) = change
    assert codes(both) == [("sides_differ", name)]
    assert both.data[name] is None and name not in both.sources and both.data["nom_surname"] == "NGO MBARGA"


def test_a_name_spelled_otherwise_is_kept_and_told() -> None:
    both = card(RECTO | {"nom_surname": "NGO MBAHGA"}, ZONE)
    assert codes(both) == [("name_spelled_otherwise", "nom_surname")]
    assert both.data["nom_surname"] == "NGO MBAHGA"


def test_names_that_the_zone_cuts() -> None:
    zone = ZONE.model_copy(
        update={"surname": "MAETCHEU DONGMO TCHINDA", "given_names": "ABDEL", "names_truncated": True}
    )
    whole = RECTO | {"nom_surname": "MAETCHEU DONGMO TCHINDA", "prenom_given_name": "ABDELAZIZ MARIE"}
    assert card(whole, zone).warnings == ()
    assert card(whole | {"prenom_given_name": "ABRAHAM"}, zone).data is None


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("NGO MBARGA", "NGO MBARGA", "same"),
        ("D'ÉLOÏSE NGO-MBARGA", "DELOISE NGO MBARGA", "same"),
        ("Ngo Mbarga", "NGOMBARGA", "same"),
        ("MÜLLER", "MULLER", "same"),
        ("BJØRN", "BJOERN", "same"),
        ("NJOMO", "NJ0M0", "same"),
        ("MBARGA", "MBAHGA", "spelled"),
        ("NGO MBARGA", "NCO MBARGA", "spelled"),
        ("NGO MBARGA", "NGOKMBARGA", "spelled"),
        ("ÉLISE", "ELISE MARIE", "spelled"),
        ("NGO MBARGA", "NGO MBAPPE", "different"),
        ("ATANGANA", "ATEBA", "different"),
        ("MBARGA", "MBALLA", "different"),
        ("TCHOUPO", "TCHOUTA", "different"),
        ("NGO NDJOCK MARIE", "NGO NLEND", "different"),
        ("NGO MBARGA", "NGO", "different"),
        ("NGO", "NJI", "different"),
        ("", "NGO", "different"),
        ("MBARGA JEAN", "JEAN", "spelled"),
    ],
)
def test_one_name_or_two(one: str, other: str, likeness: str) -> None:
    assert compare_names(one, other) == compare_names(other, one) == likeness


def test_without_a_zone_little_can_be_said() -> None:
    both = card(RECTO, None)
    assert both.compared == () and both.data.items() >= RECTO.items()
    assert codes(both) == [("nothing_compared", None)]
    assert codes(card({}, None)) == []  # one side's values alone


def test_two_sides_of_2018_have_nothing_in_common() -> None:
    sides = {
        "recto": answer("cni-2018-recto", {"nom_surname": "TCHOUPO", "prenom_given_name": "PAUL"}),
        "verso": answer("cni-2018-verso", {"pere_father": "ABENA JEAN"}),
    }
    assert codes(together(sides)) == [("nothing_compared", None)]


def test_a_passports_line_has_room_for_more_letters_than_a_cards() -> None:
    """Only what the zone itself says to be cut is compared by its beginning."""
    zone = ZONE.model_copy(update={"surname": "MAETCHEU DONGMO TCHINDA", "given_names": "ABDELAZ"})
    whole = RECTO | {"nom_surname": "MAETCHEU DONGMO TCHINDA", "prenom_given_name": "ABDELAZIZ MARIE"}
    assert codes(card(whole, zone)) != []


def test_a_card_from_before_the_birth_is_of_two_people_or_misread() -> None:
    later = card(RECTO | {"date_of_birth": "01.02.2026"}, None)
    assert codes(later) == [("issued_before_birth", "date_of_issue")] and later.data is None
    vouched = card(RECTO, ZONE, date_of_issue="01.01.1985")
    assert codes(vouched) == [("issued_before_birth", "date_of_issue")]
    assert vouched.data["date_of_issue"] is None and vouched.data["date_of_birth"] == "01.02.1990"
    ended = card(RECTO, ZONE, date_of_issue="01.01.2035")
    assert codes(ended) == [("issued_after_expiry", "date_of_issue")] and ended.data["date_of_issue"] is None


def test_two_versions_are_never_one_card() -> None:
    sides = {
        "recto": answer("cni-2018-recto", {"nom_surname": "TCHOUPO", "prenom_given_name": "PAUL"}),
        "verso": answer("cni-2025-verso", VERSO, ZONE),
    }
    both = together(sides)
    assert both.document is None and both.data is None and codes(both) == [("versions_differ", None)]


def test_sides_sent_in_each_other_s_place() -> None:
    recto, verso = answer("cni-2025-recto", RECTO), answer("cni-2025-verso", VERSO, ZONE)
    swapped = together({"recto": verso, "verso": recto})
    assert codes(swapped) == [("wrong_side", None), ("wrong_side", None)]
    assert swapped.data == card(RECTO, ZONE).data
    twice = together({"recto": recto, "verso": recto})
    assert codes(twice) == [("wrong_side", None), ("same_side_twice", None)] and twice.data is None
    assert twice.warnings[0].message == "The picture sent as verso shows a recto."


def test_versions() -> None:
    assert documents_of(builtin(), "auto") == {"recto": "auto", "verso": "auto"}
    assert documents_of(builtin(), "2018")["verso"] == "cni-2018-verso"
    with pytest.raises(UnknownDocument):
        documents_of(builtin(), "1999")


def test_the_first_version_where_none_is_named() -> None:
    assert documents_of(builtin(), "") == documents_of(builtin(), "2018")


def test_documents_without_sides_are_not_put_together() -> None:
    receipt = parse_spec({"name": "receipt", "title": {"en": "a receipt"}, "fields": [{"key": "total"}]})
    alone = receipt.model_copy(update={"side": "recto"})  # a side of nothing
    verso = Answered(answer("cni-2025-verso", VERSO), builtin().readable["cni-2025-verso"])
    for spec in (receipt, alone):
        both = two_sided.together("1", {"recto": Answered(answer("cni-2025-recto", RECTO), spec), "verso": verso})
        assert both.data is None and codes(both) == [("not_two_sided", None)]


PERMIT = [
    {
        "name": f"permit-{side}", "family": "permit", "side": side, "title": {"en": f"a permit, {side}"},
        "fields": fields,
    }
    for side, fields in {
        "recto": [
            {"key": "born", "standard": "birth_date", "type": {"date": {"format": "%Y-%m-%d", "shapes": ["ymd"]}}},
            {"key": "ends", "standard": "expiry_date", "type": {"date": {"format": "%d/%m/%Y"}}},
            {"key": "sex", "standard": "sex", "type": {"choice": {"values": ["F", "H"], "words": {"FEMALE": "F"}}}},
            {"key": "number", "standard": "document_number", "type": {"digits": {"count": 9}}},
            {"key": "holder", "standard": "holder_number", "type": "mask"},
        ],
        "verso": [{"key": "town", "standard": "birth_place"}, {"key": "holder_no", "standard": "holder_number"}],
    }.items()
]  # fmt: skip
MACHINE = {"format": "TD1", "fields": {"holder_no": "optional_data"}}


def permit(recto: dict[str, Any], zone: MrzAnswer | None) -> Any:
    """Both sides of a document that is known by its file alone."""
    front, back = parse_spec(PERMIT[0]), parse_spec(PERMIT[1] | {"machine_readable": MACHINE})
    said = {"recto": recto, "verso": {"town": "DOUALA"}}
    sides = {}
    for side, spec in {"recto": front, "verso": back}.items():
        data = {field.key: said[side].get(field.key) for field in spec.fields}
        fields = {
            field.key: FieldAnswer(
                value=data[field.key], confidence=None, box=None, normalized=field.type.normal(data[field.key])
            )
            for field in spec.fields
        }
        whole = answer("cni-2025-recto", {}).model_copy(
            update={"document": spec.name, "data": data, "fields": fields, "mrz": zone if side == "verso" else None}
        )
        sides[side] = Answered(whole, spec)
    return two_sided.together("1", sides)


def test_a_zone_speaks_as_the_document_s_own_file_says() -> None:
    right = {
        "born": "1990-02-01", "ends": "01/01/2035", "sex": "F", "number": "123456789", "holder": "AB12345678"
    }  # fmt: skip
    same = permit(right, ZONE)
    assert (same.document, codes(same)) == ("permit", []) and set(same.compared) == set(right)
    assert same.data.items() >= right.items() and all(same.sources[key] == "mrz" for key in right)
    empty = permit({}, ZONE)
    assert codes(empty) == [] and empty.data.items() >= right.items()
    wrong = permit(right | {"born": "1990-02-07", "holder": "AB12345679"}, ZONE)
    assert wrong.data.items() >= right.items() and set(codes(wrong)) == {("mrz_used", "born"), ("mrz_used", "holder")}
    other = permit(right | {"number": "987654321", "born": "1971-11-12"}, ZONE)
    assert other.data is None and set(codes(other)) == {("sides_differ", "number"), ("sides_differ", "born")}


def test_a_sex_for_which_the_document_has_no_word_is_not_compared() -> None:
    man = ZONE.model_copy(update={"sex": "M"})
    both = permit({"sex": "H", "number": "123456789"}, man)
    assert codes(both) == [] and both.data["sex"] == "H" and both.compared == ("number",)
