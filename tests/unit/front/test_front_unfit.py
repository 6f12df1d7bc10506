"""Values that cannot be a field's: of another form, or another field's own line. Both ways of answering."""

import pytest

from ocr_frontend.llm.answers import Element
from tests.unit.front.pages import line, page, resolved

VERSO = (
    "NOM DU PERE/FATHER'S NAME", "ABENA LUC", "NOM DE LA MERE/MOTHER'S NAME", "NGO BIYONG CLAIRE",
    "S.P./S.M.", "215416",
    "DATE D'EXPIRATION/DATE OF EXPIRY", "29.09.2034", "IDENTIFIANT UNIQUE/UNIQUE IDENTIFIER", "20187769112345678",
)  # fmt: skip


@pytest.mark.parametrize("given", [5, "215416", "S.M. 215416"])
def test_a_number_is_no_name_and_what_stands_under_the_label_is_taken(given: int | str) -> None:
    found = resolved("cni-2018-verso", VERSO, {"mere_mother": given, "sp_sm": 5})
    assert found["mere_mother"].value == "NGO BIYONG CLAIRE"
    assert {"not_of_its_form", "not_in_text"} & found["mere_mother"].codes
    assert (found["sp_sm"].value, found["sp_sm"].codes) == ("215416", frozenset())


@pytest.mark.parametrize("element", [7, "29.09.2034"])
def test_another_field_s_date_is_given_up(element: int | str) -> None:
    given: dict[str, Element] = {"date_of_issue": element, "date_of_expiration": element}
    found = resolved("cni-2018-verso", VERSO, given)
    assert found["date_of_issue"].value is None and "taken_twice" in found["date_of_issue"].codes
    assert found["date_of_issue"].alternatives == (("29.09.2034", "model"),)
    assert found["date_of_expiration"].value == "29.09.2034"


@pytest.mark.parametrize("element", [1, "FONCHA", "foncha"])
def test_what_stands_behind_another_label_is_given_up(element: int | str) -> None:
    texts = ("PERE/FATHER", "MERE/MOTHER: FONCHA", "AUTORITE/AUTHORITY", "DE LA TOUR")
    found = resolved("cni-2018-verso", texts, {"pere_father": element, "mere_mother": 1, "authorité": 3})
    assert found["pere_father"].value is None and "behind_another_label" in found["pere_father"].codes
    assert found["mere_mother"].value == "FONCHA"


def test_what_stands_elsewhere_too_may_be_any_field_s() -> None:
    texts = ("MERE/MOTHER: FONCHA", "FONCHA")
    assert (
        resolved("cni-2018-verso", texts, {"pere_father": "FONCHA", "mere_mother": 0})["pere_father"].value == "FONCHA"
    )


def test_the_beginning_of_another_number_is_no_card_s_number() -> None:
    found = resolved("cni-2018-verso", VERSO, {"numero_de_carte": "201877691"})["numero_de_carte"]
    assert (found.value, found.codes) == (None, {"not_in_text"})


def test_two_fields_may_share_a_line_that_holds_two_values() -> None:
    texts = ("DATE OF ISSUE  DATE OF EXPIRY", "29.09.2024 29.09.2034")
    found = resolved("cni-2018-verso", texts, {"date_of_issue": 1, "date_of_expiration": 1})
    assert [found[key].value for key in ("date_of_issue", "date_of_expiration")] == ["29.09.2024", "29.09.2034"]


def test_nobody_gives_way_where_no_label_decides() -> None:
    found = resolved("cni-2018-verso", ("ABENA LUC",), {"pere_father": 0, "authorité": 0})
    assert [found[key].value for key in ("pere_father", "authorité")] == ["ABENA LUC", "ABENA LUC"]


@pytest.mark.parametrize("name", ["DOUALA 3EME", "NGORO IV", "N0UBI", "Élise-Anne", "—"])
def test_a_name_may_have_digits_if_most_of_it_are_letters(name: str) -> None:
    found = resolved("cni-2018-verso", (name,), {"pere_father": 0})["pere_father"]
    assert (found.value, found.codes) == (name, frozenset())


@pytest.mark.parametrize("text", ["MERE/MOTHERNGO BIYONG", "MERE /MOTHERNGO BIYONG", "MERE/MOTHER NGO BIYONG"])
def test_a_value_that_is_glued_to_its_label_comes_off(text: str) -> None:
    assert (
        resolved("cni-2018-verso", (text, "S.P./S.M.", "215416"), {"mere_mother": 0})["mere_mother"].value
        == "NGO BIYONG"
    )
    filled = resolved("cni-2018-verso", (text, "S.P./S.M.", "215416"), {"mere_mother": 2})["mere_mother"]
    assert (filled.value, filled.codes) == ("NGO BIYONG", {"not_of_its_form", "taken_from_label"})


@pytest.mark.parametrize(
    "label",
    ["SIGNES PARTICULIERS:", "NE(E) QUELQUE PART/", "CODE DU PAYS", "DUPLICATA-DUPLICATE", "SITUATION DE LA FILIATION"],
)
def test_a_label_of_another_document_is_no_second_line(label: str) -> None:
    texts = ("NOM DU PERE/FATHER'S NAME", "ABENA LUC", label, "NOM DE LA MERE/MOTHER'S NAME", "NGO BIYONG CLAIRE")
    found = resolved("cni-2018-verso", texts, {"pere_father": 1, "mere_mother": 4})
    assert (found["pere_father"].value, found["pere_father"].codes) == ("ABENA LUC", frozenset())
    name = resolved("cni-2018-verso", (*texts[:2], "EPSE NJOYA", *texts[3:]), {"pere_father": 1, "mere_mother": 4})
    assert name["pere_father"].value == "ABENA LUC EPSE NJOYA"


def test_a_numbered_label_is_one_and_a_value_may_stand_before_its_own() -> None:
    shown = page("cni-2018-verso", ("5. NOM DU PERE", "ABENA LUC", "6 LE DGSN", "12 ABENA TCHOUMI"))
    assert [shown.is_label(n) for n in range(4)] == [True, False, True, False]
    found = resolved("cni-2018-verso", ("ABENA TCHOUMI NOM DU PERE/FATHER'S NAME",), {"pere_father": 0})["pere_father"]
    assert found.value == "ABENA TCHOUMI"


@pytest.mark.parametrize("text", ["SEXE (M/F) / SEX (M/F) F", "SEXE M / F : F", "SEX (M|F): F"])
def test_what_may_be_chosen_is_not_what_was(text: str) -> None:
    found = resolved("cni-2018-recto", (text,), {"sex": 0})["sex"]
    assert (found.value, found.codes) == ("F", frozenset())


def test_a_line_of_another_s_longer_value_is_given_up() -> None:
    """A card without the father's name: the model gave it the mother's lines, whose label alone stands over them."""
    texts = ("NOM DE LA MERE/MOTHER'S NAME", "NGO BIYONG", "CLAIRE EPSE", "DATE DE DELIVRANCE", "12.03.2019")
    texts += ("DATE D'EXPIRATION", "12.03.2029")
    answer: dict[str, Element] = {"pere_father": (1, 2), "mere_mother": (1, 2), "authorité": 2, "date_of_issue": 4}
    found = resolved("cni-2018-verso", texts, answer | {"date_of_expiration": 6})
    for key in ("pere_father", "authorité"):
        assert found[key].value is None and "taken_twice" in found[key].codes
    assert found["mere_mother"].value == "NGO BIYONG CLAIRE EPSE"


def test_both_languages_are_a_label_in_either_order_before_a_name() -> None:
    texts = ("FIRST NAMES/PRENOMS ADRIENNE", "PRENOMS/FIRST NAMES ADRIENNE")
    assert [page("cni-2018-recto", (text,)).text_of(0, "prenom_given_name") for text in texts] == ["ADRIENNE"] * 2


@pytest.mark.parametrize(("beside", "value"), [("ECIM", "NGO TSALA MARIE CLAIRE"), ("NGO ETONGO RACHEL EPSE", None)])
def test_an_empty_field_takes_its_lines_beside_what_a_watermark_left(beside: str, value: str | None) -> None:
    given = [
        line("NOM DU PERE/FATHER'S NAME", 0),
        line(beside, 0.8, left=230),
        line("NGO TSALA", 1),
        line("MARIE CLAIRE", 2),
    ]
    found = resolved("cni-2018-verso", given, {"pere_father": None})["pere_father"]
    assert found.value == value
    assert found.codes == ({"taken_from_label"} if value else frozenset())
