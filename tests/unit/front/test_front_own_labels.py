"""A label and its value in one line: the value is what stands behind the label, and the line is no mere label."""

import pytest

from ocr_frontend.documents.own_labels import after_label
from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.extraction.label_lines import without_labels
from ocr_frontend.extraction.placement import with_places
from ocr_frontend.extraction.resolve import resolve
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine

RECTO = DOCUMENTS["cni-2025-recto"]
SPECS = {spec.name: spec for spec in RECTO.fields}


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("NOM/SURNAME NGO KOEBA", "nom_surname", "NGO KOEBA"),
        ("NOM / SURNAMENGO NKODO", "nom_surname", "NGO NKODO"),
        ("Prénoms / Given names: Gérard", "prenom_given_name", "Gérard"),
        ("MERE/MOTHERSEONGADA DIAYI SIMEON", "mere_mother", "SEONGADA DIAYI SIMEON"),
        ("NOM DE LA MÈRE/MOTHER'S NAME ROSE", "mere_mother", "ROSE"),
        ("NOM DE LA MÈRE/MOTHER'S NAME", "mere_mother", None),
        ("NOM/SURNAME", "nom_surname", None),
        ("NOM/SURNAME .", "nom_surname", None),
        ("PERE NGO", "pere_father", None),
        ("NOM", "nom_surname", None),
        ("SURNAME NGO", "nom_surname", None),
        ("NGO NOM/SURNAME", "nom_surname", None),
        ("NOM/SURNAME NGO", "prenom_given_name", None),
        ("", "nom_surname", None),
        ("anything", "no such field", None),
    ],
)
def test_what_follows_the_label_in_both_languages(text: str, field: str, value: str | None) -> None:
    assert after_label(text, field) == value


def _lines(*texts: str) -> list[TextLine]:
    return [
        TextLine(t, 0.99, ((9, 60 * i), (400, 60 * i), (400, 60 * i + 22), (9, 60 * i + 22)))
        for i, t in enumerate(texts)
    ]


LINES = _lines("NOM/SURNAME NGO", "PRENOMS / GIVEN NAMES GERARD", "YASSINE", "28.01.1999")


def test_the_value_is_without_its_label() -> None:
    assert resolve(0, SPECS["nom_surname"], LINES, numbered=True).value == "NGO"
    assert resolve((1, 2), SPECS["prenom_given_name"], LINES, numbered=True).value == "GERARD YASSINE"
    other = resolve(0, SPECS["prenom_given_name"], LINES, numbered=True)
    assert other.value == "NOM/SURNAME NGO", "another field's label is not cut: the answer is wrong and looks wrong"


def test_such_a_line_is_kept_and_found() -> None:
    names: dict[str, Element] = {"nom_surname": 0, "prenom_given_name": (1, 2)}
    assert without_labels(names, set(names), LINES) == names
    empty: dict[str, Element] = {"nom_surname": None, "prenom_given_name": None, "date_of_birth": 3}
    assert with_places(empty, RECTO, LINES, "empty") == {**empty, "nom_surname": 0, "prenom_given_name": 1}
    assert with_places({**empty, "sex": 0}, RECTO, LINES, "empty")["nom_surname"] is None, "somebody claims it"
