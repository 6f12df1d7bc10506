"""Values that stand under their own label while the model looked elsewhere."""

import pytest

from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.extraction.placement import with_places
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine

RECTO = DOCUMENTS["cni-2018-recto"]
TEXTS = (
    "NOM/SURNAME", "MBARGA", "PRENOMS/GIVEN NAMES", "ELISE", "DATE DE NAISSANCE/DATE OF BIRTH", "01.02.1990",
    "PROFESSION/OCCUPATION", "ELEVE",
)  # fmt: skip
LINES = [
    TextLine(t, 0.99, ((9, 34 * i), (99, 34 * i), (99, 34 * i + 22), (9, 34 * i + 22))) for i, t in enumerate(TEXTS)
]
RIGHT: dict[str, Element] = {"nom_surname": 1, "prenom_given_name": 3, "date_of_birth": 5, "profession": 7}


@pytest.mark.parametrize(
    "wrong",
    [
        {"profession": None},
        {"date_of_birth": None},
        {"nom_surname": None, "prenom_given_name": 1},
        {"profession": 3, "prenom_given_name": 3},
    ],
)
def test_the_free_line_under_the_own_label_is_taken(wrong: dict[str, Element]) -> None:
    assert with_places(RIGHT | wrong, RECTO, LINES, "all") == RIGHT


@pytest.mark.parametrize(
    "kept",
    [
        {"sex": None, "taille": None},  # no label of theirs on the picture
        {"profession": "ELEVE AU LYCEE"},  # written out: the model saw more than a line
        {"nom_surname": (1, 3)},
        {"lieu_of_birth": 99},
    ],
)
def test_what_the_picture_does_not_contradict_stays(kept: dict[str, Element]) -> None:
    assert with_places(RIGHT | kept, RECTO, LINES, "all") == RIGHT | kept


def test_a_line_that_somebody_claims_or_of_another_form_is_not_taken() -> None:
    claimed = RIGHT | {"profession": None, "lieu_of_birth": "ELEVE", "sex": 7}
    assert with_places(claimed, RECTO, LINES, "all")["profession"] is None
    words = [*LINES[:5], TextLine("WORDS", 0.99, LINES[5].box), *LINES[6:]]
    assert with_places(RIGHT | {"date_of_birth": None}, RECTO, words, "all")["date_of_birth"] is None


def test_what_the_model_named_stays_unless_asked_otherwise() -> None:
    answer = RIGHT | {"profession": 3, "prenom_given_name": 3, "nom_surname": None}
    assert with_places(answer, RECTO, LINES, "empty") == answer | {"nom_surname": 1}
    assert with_places(answer, RECTO, LINES, "off") == answer
