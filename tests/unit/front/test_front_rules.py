"""What the picture suggests beside the model's answer: with evidence, with a warning, and never in silence."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.contacts import is_contact
from ocr_frontend.extraction.grounding import ground
from ocr_frontend.extraction.resolve import Resolved, resolve_all
from ocr_frontend.extraction.rules import RULES, candidates
from ocr_frontend.extraction.warnings import MESSAGES
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO, RECTO_ANSWER, line, page, resolved, spec


def recto(answer: Mapping[str, Element] = RECTO_ANSWER, **changed: str) -> dict[str, Resolved]:
    """The recto with some values printed otherwise."""
    texts: list[TextLine | str] = list(RECTO)
    for key, text in changed.items():
        texts[RECTO_ANSWER[key]] = text
    return resolved("cni-2018-recto", texts, answer)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lieu_of_birth", "CAMEROUN"),
        ("profession", "TAILLEUR"),
        ("profession", "AGENT PASSEPORT"),
        ("profession", "SANS PROFESSION"),
        ("nom_surname", "PATRICE"),
        ("nom_surname", "TAILLEUR"),
        ("lieu_of_birth", "NOM PENDE"),
    ],
)
def test_a_value_that_has_a_label_s_word_stays(key: str, value: str) -> None:
    found = recto(**{key: value})[key]
    assert (found.value, found.source, found.warnings) == (value, "ocr", ())


def test_a_label_that_the_model_named_is_left_out_with_a_warning() -> None:
    found = recto({**RECTO_ANSWER, "profession": 12, "nom_surname": (0, 1)})
    assert found["profession"].value == "MENUISIER"  # the free line under the label
    assert found["profession"].codes == {"label_left_out", "taken_from_label"}
    assert (found["nom_surname"].value, found["nom_surname"].source) == ("MBARGA", "rule:label_left_out")
    assert found["nom_surname"].alternatives == (("NOM/SURNAME MBARGA", "model"),)


def test_an_empty_field_takes_the_one_free_line_under_its_label() -> None:
    found = recto({**RECTO_ANSWER, "lieu_of_birth": None, "date_of_birth": None})
    assert (found["lieu_of_birth"].value, found["lieu_of_birth"].source) == ("YAOUNDE", "rule:taken_from_label")
    assert found["date_of_birth"].value == "01.02.1990"
    assert [warning.code for warning in found["date_of_birth"].warnings] == ["taken_from_label"]


def test_an_empty_field_of_a_strict_type_takes_the_only_such_value_where_no_label_was_read() -> None:
    texts = [each for each in RECTO if "NAISSANCE" not in each]
    answer: dict[str, Element] = {"nom_surname": 1, "prenom_given_name": 3, "date_of_birth": None}
    found = resolved("cni-2018-recto", texts, answer)["date_of_birth"]
    assert (found.value, found.source) == ("01.02.1990", "rule:only_one_of_its_type")


@pytest.mark.parametrize("text", ["820800686", "820 800 686", "82080 0686", "N° 820800686"])
def test_a_number_in_groups_is_one_number(text: str) -> None:
    texts = ("PERE/FATHER", "ABENA LUC", "DATE D'EXPIRATION/DATE OF EXPIRY", "29.09.2034", text)
    found = resolved("cni-2018-verso", texts, {"pere_father": 1, "date_of_expiration": 3})["numero_de_carte"]
    assert (found.value, found.source) == ("820800686", "rule:only_one_of_its_type")


@pytest.mark.parametrize("text", ["AG 820 800 686", "820 800 686 12", "PHONE NO 820800686"])
def test_a_number_among_other_words_is_not_taken_by_its_form(text: str) -> None:
    texts = ("PERE/FATHER", "ABENA LUC", "DATE D'EXPIRATION/DATE OF EXPIRY", "29.09.2034", text)
    given: dict[str, Element] = {"pere_father": 1, "date_of_expiration": 3}
    assert resolved("cni-2018-verso", texts, given)["numero_de_carte"].value is None


def test_a_number_under_the_label_of_another_form_is_taken_by_its_own() -> None:
    texts = ("PERE/FATHER", "ABENA LUC", "DATE D'EXPIRATION/DATE OF EXPIRY", "820 800 686")
    given: dict[str, Element] = {"pere_father": 1, "date_of_expiration": 3}
    found = resolved("cni-2018-verso", texts, given)
    assert (found["date_of_expiration"].value, found["numero_de_carte"].value) == (None, "820800686")
    assert "not_of_its_form" in found["date_of_expiration"].codes


def test_a_line_of_several_labels_gives_each_field_its_own() -> None:
    texts = (
        "NOM / SURNAME NKOU PRENOMS / GIVEN NAMES PAUL MARIE",
        "Date de naissance / Date of birth 20-08-1962 SEXE / SEX M",
        "PROFESSION / OCCUPATION MERE DE FAMILLE",
    )
    answer: dict[str, Element] = {"nom_surname": 0, "prenom_given_name": 0, "sex": 1, "profession": 2}
    found = resolved("cni-2018-recto", texts, answer)
    assert (found["nom_surname"].value, found["prenom_given_name"].value) == ("NKOU", "PAUL MARIE")
    assert (found["date_of_birth"].value, found["sex"].value) == ("20.08.1962", "M")
    assert found["profession"].value == "MERE DE FAMILLE"


def test_two_values_of_their_own_forms_in_one_line_are_both_taken() -> None:
    texts = ("PERE/FATHER", "ABENA LUC", "DATE DE DELIVRANCE", "25.10.2025 JC86211022", "TAILLE/HEIGHT", "1,70")
    given: dict[str, Element] = {"pere_father": 1, "identifiant_unique": 3, "taille": 5}
    found = resolved("cni-2025-verso", texts, given)
    assert (found["date_of_issue"].value, found["identifiant_unique"].value) == ("25.10.2025", "JC86211022")


def test_pieces_of_one_row_are_a_number_together() -> None:
    given = [
        line("PERE/FATHER", 0), line("ABENA LUC", 1), line("DATE DE DELIVRANCE/DATE OF ISSUE", 2),
        line("17", 3), line("07", 3, left=50), line("2018", 3, left=90), line("820", 6), line("800", 6, left=60),
        line("686", 6, left=110),
    ]  # fmt: skip
    found = resolved("cni-2018-verso", given, {"pere_father": 1})
    assert (found["date_of_issue"].value, found["numero_de_carte"].value) == ("17.07.2018", "820800686")
    assert found["numero_de_carte"].source == "rule:read_in_pieces"
    twice = [*given, line("123", 9), line("456", 9, left=60), line("789", 9, left=110)]
    assert resolved("cni-2018-verso", twice, {"pere_father": 1})["numero_de_carte"].value is None
    more = [*given, line("12", 6, left=160)]
    assert resolved("cni-2018-verso", more, {"pere_father": 1})["numero_de_carte"].value is None


@pytest.mark.parametrize("address", ["ADRESSE/ADDRESS", ""])
def test_what_stands_under_an_address_label_is_no_authority(address: str) -> None:
    texts = (
        "PERE/FATHER", "ABENA LUC", "MERE/MOTHER", "NGO BIYONG", "S.P./S.M.", "215416", "AUTORITE/AUTHORITY",
        "DATE D'EXPIRATION/DATE OF EXPIRY", "29.09.2034", address, "BONAPRISO KOUTABA",
    )  # fmt: skip
    given: dict[str, Element] = {
        "pere_father": 1,
        "mere_mother": 3,
        "sp_sm": 5,
        "date_of_expiration": 8,
        "authorité": 10,
    }
    found = resolved("cni-2018-verso", texts, given)["authorité"]
    assert found.value == (None if address else "BONAPRISO KOUTABA")
    assert ("under_another_label" in found.codes) == bool(address)


def test_a_value_before_another_s_label_shares_the_line() -> None:
    texts = ("PERE/FATHER", "ABENA LUC", "TAILLE/HEIGHT", "1.71 m Delivree le / Issued on27.05.2026")
    found = resolved("cni-2025-verso", texts, {"pere_father": 1, "taille": 3})
    assert (found["taille"].value, found["date_of_issue"].value) == (1.71, "27.05.2026")


def test_a_date_at_the_label_of_another_empty_field_is_that_one_s() -> None:
    texts = (
        "PERE/FATHER", "ABENA LUC", "MERE/MOTHER", "NGO BIYONG", "S.P./S.M.", "215416", "AUTORITE/AUTHORITY",
        "DE LA TOUR", "EXPIRE LE/VALID UNTIL", "23.07.2027",
    )  # fmt: skip
    given: dict[str, Element] = {"pere_father": 1, "mere_mother": 3, "sp_sm": 5, "authorité": 7, "date_of_issue": 9}
    found = resolved("cni-2018-verso", texts, given)
    assert [found[key].value for key in ("date_of_issue", "date_of_expiration")] == [None, "23.07.2027"]
    both = resolved("cni-2018-verso", ("DATE OF ISSUE", *texts), {key: at + 1 for key, at in given.items()})  # type: ignore[operator]
    assert both["date_of_issue"].value == "23.07.2027"


def test_a_height_s_unit_is_no_sex() -> None:
    texts = ("NOM/SURNAME", "MBARGA", "TAILLE/HEIGHT", "1,70 M")
    found = resolved("cni-2018-recto", texts, {"nom_surname": 1, "taille": 3})
    assert (found["taille"].value, found["sex"].value) == (1.7, None)


def test_two_dates_behind_their_labels_in_one_line_are_told_apart() -> None:
    texts = ("Valable jusqu'au / Valid until 29.09.2034 Délivrée le / Issued on 29.09.2024",)
    found = resolved("cni-2018-verso", texts, {"date_of_issue": 0, "date_of_expiration": 0})
    assert [found[key].value for key in ("date_of_issue", "date_of_expiration")] == ["29.09.2024", "29.09.2034"]


UNDER_A_NAME = {
    "a hologram": ("OOOCAMFRDUN", 0.5),
    "dirt": ("ILLI IIL", 0.31),
    "the next label, damaged": ("PRFNDMS/GIVFNNANFS", 0.95),
    "a label, beyond recognition": ("PRNMS GVN NAES", 0.93),
    "small letters": ("Ngo Bell", 0.98),
    "a number": ("12 MBAR", 0.98),
}


@pytest.mark.parametrize("kind", UNDER_A_NAME)
def test_nothing_that_may_be_no_name_is_joined_to_one(kind: str) -> None:
    text, score = UNDER_A_NAME[kind]
    given: list[TextLine | str] = ["NOM/SURNAME", line("MBARGA", 1), line(text, 2, score=score)]
    given += [line(each, row + 3) for row, each in enumerate(RECTO[4:])]
    found = resolved("cni-2018-recto", given, {"nom_surname": 1})["nom_surname"]
    assert (found.value, found.warnings) == ("MBARGA", ())


DAMAGED = {
    "cni-2018-verso": ["S.R/SH.", "S.F.IS.M"],
    "cni-2018-recto": ["SDEAEX", "LIEU DE NAIS", "PROFESSI"],
}


@pytest.mark.parametrize(("name", "label"), [(name, label) for name, several in DAMAGED.items() for label in several])
def test_a_label_that_was_read_nowhere_is_not_joined_to_the_value_above(name: str, label: str) -> None:
    whole = {"cni-2018-recto": RECTO, "cni-2018-verso": ("PERE/FATHER", "KAMGA", "MERE/MOTHER", "ACHU ZACHARIE")}[name]
    texts = [each for each in whole if not set(each.split("/")) & {"SEXE", "LIEU DE NAISSANCE", "PROFESSION"}]
    at = max(i for i, text in enumerate(texts) if text in ("YAOUNDE", "ACHU ZACHARIE"))
    key = "lieu_of_birth" if name == "cni-2018-recto" else "mere_mother"
    texts.insert(at + 1, label)
    found = resolved(name, texts, {key: at})[key]
    assert (found.value, found.warnings) == (texts[at], ())
    both = resolved(name, texts, {key: (at, at + 1)})[key]
    if label not in ("LIEU DE NAIS", "PROFESSI"):
        assert both.value == texts[at]
    assert both.source in {"rule:second_line_left_out", "rule:label_left_out"}


def test_a_second_line_is_joined_where_every_label_is_accounted_for() -> None:
    texts = ("NOM/SURNAME", "MBARGA EPSE", "NGO BIYONG", *RECTO[2:])
    answer = {key: index + (index > 1) for key, index in RECTO_ANSWER.items()}
    found = resolved("cni-2018-recto", texts, answer)["nom_surname"]
    assert (found.value, found.lines, found.source) == ("MBARGA EPSE NGO BIYONG", (1, 2), "rule:continued")
    assert [warning.code for warning in found.warnings] == ["continued"]
    assert found.alternatives == (("MBARGA EPSE", "model"),)


def test_a_written_value_never_becomes_another_person_s() -> None:
    texts = ("NOM DE LA MERE/MOTHER'S NAME", "MARIA CLAIRE", "NOM DU PERE/FATHER'S NAME", "JEANNE PAULE")
    found = resolved("cni-2025-verso", texts, {"mere_mother": "MARIE CLAIRE", "pere_father": "JEAN PAUL"})
    assert (found["mere_mother"].value, found["mere_mother"].source) == ("MARIE CLAIRE", "model")
    assert found["mere_mother"].codes == {"spelling_differs"}
    assert found["mere_mother"].alternatives == (("MARIA CLAIRE", "ocr"),)


@pytest.mark.parametrize("invented", ["JEAN PAUL", "NGO NDONGO ESTELLE"])
def test_what_stands_nowhere_is_given_up_and_told(invented: str) -> None:
    texts = ("NOM DE LA MERE/MOTHER'S NAME", "MARIA CLAIRE", "NOM DU PERE/FATHER'S NAME")
    found = resolved("cni-2025-verso", texts, {"mere_mother": "MARIA CLAIRE", "pere_father": invented})["pere_father"]
    assert (found.value, found.source, found.codes) == (None, "rule:not_in_text", {"not_in_text"})
    assert found.alternatives == ((invented, "model"),)


@pytest.mark.parametrize("date", ["01.02.2031", "11.03.1990"])
def test_what_stands_under_the_label_is_taken_instead_of_a_number_that_stands_nowhere(date: str) -> None:
    texts = ("DATE DE DELIVRANCE/DATE OF ISSUE", "12.03.1990")
    found = resolved("cni-2025-verso", texts, {"date_of_issue": date})["date_of_issue"]
    assert (found.value, found.codes) == ("12.03.1990", {"not_in_text", "taken_from_label"})
    assert found.alternatives == ((date, "model"),)


@pytest.mark.parametrize("lines", [("NGO BIYONG", "X", "MARIE CLAIRE"), ("NOM NGO BIYONG", "MARIE CLAIRE EPSE")])
def test_a_value_over_lines_and_parts_of_lines_stays(lines: tuple[str, ...]) -> None:
    found = resolved("cni-2025-verso", lines, {"mere_mother": "NGO BIYONG MARIE CLAIRE"})["mere_mother"]
    assert found.value == "NGO BIYONG MARIE CLAIRE"


def test_a_page_that_is_shorter_than_the_value_does_not_hold_it() -> None:
    shown = page("cni-2018-recto", ["F"])
    found = candidates({"profession": "0::F"}, shown)["profession"]
    assert (found[-1].element, found[-1].source) == (None, "not_in_text")


def test_every_rule_has_a_warning_of_its_name() -> None:
    assert {rule.__name__ for rule in RULES} <= MESSAGES.keys()


JOINED = st.lists(st.integers(-1, 8), min_size=1, max_size=3).map(tuple)
ELEMENTS = st.none() | st.integers(-1, 8) | JOINED | st.text(max_size=9)


@given(st.lists(st.sampled_from([*RECTO, "NGO", "S.R/SH.", "1,75", "12.03.2019"]), max_size=8), st.data())
def test_every_departure_from_the_model_is_told(texts: list[str], data: st.DataObject) -> None:
    given = {field.key: data.draw(ELEMENTS) for field in spec("cni-2018-recto").fields}
    shown = page("cni-2018-recto", texts)
    grounded = ground(given, shown)
    found = candidates(grounded, shown)
    for key, field in resolve_all(found, shown).items():
        changed = found[key][-1].element != grounded[key]
        assert changed == field.source.startswith("rule:")
        kept = field.source == "model"  # a value that is spread over lines is kept, and told by the same code
        assert kept or changed == bool(field.codes & {rule.__name__ for rule in RULES})
        assert (field.value is None or bool(field.box)) or field.source == "model"
        assert all(warning.about == key for warning in field.warnings)


TWO_LINES = (
    "NOM DU PERE/FATHER'S NAME", "ABENA NGO", "ALIOUM", "NOM DE LA MERE/MOTHER'S NAME", "MBARGA", "EPSE NJOYA",
    "S.P./S.M.", "937910", "DATE DE DELIVRANCE/DATE OF ISSUE", "01.02.2020",
)  # fmt: skip
OTHERS: dict[str, Element] = {"sp_sm": 7, "date_of_issue": 9}


@pytest.mark.parametrize(
    "wrong",
    [
        {"pere_father": (1, 4), "mere_mother": (2, 5)},
        {"pere_father": (1, 2, 4), "mere_mother": 5},
        {"pere_father": 1, "mere_mother": (2, 4)},
    ],
)
def test_lines_of_names_that_changed_places_go_where_their_labels_are(wrong: dict[str, Element]) -> None:
    found = resolved("cni-2018-verso", TWO_LINES, {**OTHERS, **wrong})
    assert found["pere_father"].value == "ABENA NGO ALIOUM"
    assert found["mere_mother"].value == "MBARGA EPSE NJOYA"
    assert "stands_under_label" in found["pere_father"].codes | found["mere_mother"].codes


def test_where_labels_stand_below_their_values_the_model_is_right() -> None:
    turned: list[TextLine | str] = []
    for label, value in zip(RECTO[::2], RECTO[1::2], strict=True):
        turned += [value, label]
    answer: dict[str, Element] = {key: number - 1 for key, number in RECTO_ANSWER.items()}
    found = resolved("cni-2018-recto", turned, answer)
    assert {key: field.value for key, field in found.items()} == {key: f.value for key, f in recto().items()}
    assert not any("stands_under_label" in field.codes for field in found.values())


def test_on_a_page_with_labels_below_a_line_goes_to_the_label_under_it() -> None:
    turned: list[TextLine | str] = []
    for label, value in zip(RECTO[::2], RECTO[1::2], strict=True):
        turned += [value, label]
    answer: dict[str, Element] = {key: number - 1 for key, number in RECTO_ANSWER.items()}
    mixed_up = {**answer, "nom_surname": answer["prenom_given_name"], "prenom_given_name": answer["nom_surname"]}
    found = resolved("cni-2018-recto", turned, mixed_up)
    assert (found["nom_surname"].value, found["prenom_given_name"].value) == ("MBARGA", "ELISE")
    assert "stands_under_label" in found["nom_surname"].codes


def test_one_date_above_a_label_does_not_turn_a_page_with_labels_above() -> None:
    assert not page("cni-2018-recto", RECTO).nearest.below
    assert not page("cni-2018-recto", ["MBARGA", "01.02.1990", "DATE DE NAISSANCE/DATE OF BIRTH"]).nearest.below


@pytest.mark.parametrize("label", ["NATIONALITE", "NATIONALITY", "NATIONALITE/NATIONALITY", "GROUPE SANGUIN"])
def test_a_label_that_only_some_copies_print_ends_a_value_and_is_never_missed(label: str) -> None:
    texts = [*RECTO[:2], label, *RECTO[2:]]
    answer: dict[str, Element] = {key: number + (number > 1) for key, number in RECTO_ANSWER.items()}
    found = resolved("cni-2018-recto", texts, answer)
    assert (found["nom_surname"].value, found["nom_surname"].warnings) == ("MBARGA", ())
    assert page("cni-2018-recto", RECTO).missing == page("cni-2018-recto", texts).missing


def test_a_name_never_becomes_the_number_that_stands_under_its_label() -> None:
    texts = list(RECTO)
    texts[13] = "17.06.2022"
    answer: dict[str, Element] = {**RECTO_ANSWER, "profession": 7, "lieu_of_birth": None}
    assert resolved("cni-2018-recto", texts, answer)["profession"].value != "17.06.2022"


def test_a_label_with_a_stroke_of_its_own_counts_among_other_words() -> None:
    assert page("cni-2018-verso", ["S.P.|S.M. 866171"]).labels_in(0) == {"sp_sm"}


def test_a_watermark_s_rest_under_a_label_is_no_part_of_the_name() -> None:
    texts: list[TextLine | str] = list(RECTO)
    texts.insert(2, line("ECIM", 1.6, left=90, height=36))
    answer: dict[str, Element] = {key: number + (number > 1) for key, number in RECTO_ANSWER.items()}
    wrong: dict[str, Element] = {**answer, "nom_surname": 4, "prenom_given_name": 4}
    assert resolved("cni-2018-recto", texts, wrong)["nom_surname"].value == "MBARGA"


def test_labels_that_dates_and_numbers_confirm_count_against_a_model_that_is_wrong_everywhere() -> None:
    wrong: dict[str, Element] = {**RECTO_ANSWER, "nom_surname": 7, "prenom_given_name": 13, "lieu_of_birth": 3}
    wrong |= {"profession": 1, "sex": None, "taille": None, "date_of_birth": None}
    found = resolved("cni-2018-recto", RECTO, wrong)
    assert {key: field.value for key, field in found.items()} == {key: f.value for key, f in recto().items()}
    assert "stands_under_label" in found["nom_surname"].codes


@pytest.mark.parametrize(
    "text",
    [
        "TEL: +603-3362 4137", "MOBILE /WHATSAPPS : +6012-918 7937", "GST ID NO: 001531760640", "Fax 03 33 62 41 37",
        "www.shop.example", "shop@example.com", "TEL / FAX : 03-33624137", "(REG NO: 123456-A)", "Tél. : 6 77 88 99 00",
    ],
)  # fmt: skip
def test_a_number_to_reach_somebody_by_is_said_to_be_one(text: str) -> None:
    assert is_contact(text)


@pytest.mark.parametrize(
    "text",
    [
        "NO. 31G&33G, JALAN SETIA INDAH X", "40170 SETIA ALAM", "TEL AVIV 61000", "BP 8540 KOUMELING TOWN", "RC",
        "COLLINE 12345", "TELECOM ROAD 12 34 56", "B.P. 1 23 456 YAOUNDE", "REGIE DU TERMINUS",
    ],
)  # fmt: skip
def test_an_address_or_a_name_is_no_such_number(text: str) -> None:
    assert not is_contact(text)


def test_a_value_ends_before_a_line_that_says_something_else() -> None:
    texts = [*RECTO[:8], "TEL: +237 677 88 99 00", "ELIG-EDZOA", *RECTO[8:]]
    found = resolved("cni-2018-recto", texts, {"lieu_of_birth": (7, 8, 9)})["lieu_of_birth"]
    assert (found.value, found.codes) == ("YAOUNDE", {"second_line_left_out"})


@pytest.mark.parametrize(
    ("first", "second"), [("date_of_issue", "date_of_expiration"), ("date_of_expiration", "date_of_issue")]
)
def test_two_dates_of_one_line_go_by_where_their_labels_stand(first: str, second: str) -> None:
    names = {"date_of_issue": "DATE OF ISSUE", "date_of_expiration": "DATE OF EXPIRY"}
    shown = [
        line(names[first], 0, left=10),
        line(names[second], 0, left=400),
        line("01.02.2018 03.04.2028", 1, left=10),
    ]
    found = resolved("cni-2018-verso", shown, {"date_of_issue": 2, "date_of_expiration": 2})
    assert (found[first].value, found[second].value) == ("01.02.2018", "03.04.2028")


def test_a_written_name_is_grounded_by_whole_words_alone() -> None:
    shown = ["NOM/SURNAME", "AMBROSE", "PRENOMS/GIVEN NAMES", "JEAN PAUL"]
    found = resolved("cni-2018-recto", shown, {"nom_surname": "ROSE", "prenom_given_name": "PAUL"})
    assert "not_in_text" in found["nom_surname"].codes and found["nom_surname"].source == "model"
    assert found["prenom_given_name"].lines == (3,)


@pytest.mark.parametrize(
    ("texts", "mother"),
    [
        (("PERE/FATHER", "MARIE", "MERE/MOTHER", "MARIE"), 3),  # two people of one name
        (("PERE/FATHER", "JEAN MARIE", "MERE/MOTHER", "MARIE"), 3),  # the name is a part of another's
        (("MERE/MOTHER", "MARIE", "PERE/FATHER", "MARIE"), 1),
        (("MARIE", "PERE/FATHER", "ABENA", "MERE/MOTHER", "MARIE"), 4),  # it stands somewhere else first
    ],
)
def test_a_written_name_stands_where_its_own_label_is(texts: tuple[str, ...], mother: int) -> None:
    father = next(n for n, text in enumerate(texts) if text == "PERE/FATHER") + 1
    found = resolved("cni-2018-verso", texts, {"pere_father": texts[father], "mere_mother": "MARIE"})
    assert (found["mere_mother"].value, found["mere_mother"].lines) == ("MARIE", (mother,))
    assert found["pere_father"].lines == (father,) and not found["mere_mother"].warnings


def test_what_was_read_in_words_is_as_read() -> None:
    shown = ["DATE DE NAISSANCE/DATE OF BIRTH", "12 MAI 1990"]
    assert resolved("cni-2018-recto", shown, {"date_of_birth": 1})["date_of_birth"].value == "12 MAI 1990"
