"""Blurred photographs: labels that cannot be read, values that can, as the OCR reads such pictures."""

import pytest

from ocr_frontend.documents.by_values import told_by_values
from ocr_frontend.documents.classify import Classifier, Detection
from ocr_frontend.documents.registry import builtin
from ocr_frontend.extraction.assemble import _about_all
from tests.unit.front.pages import line

CLASSIFIER = Classifier(builtin())
TITLE = "REPUBLIQUE DU CAMEROUN / REPUBLIC OF CAMEROON"
RECTO = f"{TITLE}|C ()|M7 A|DJEUKAM|SPECIME|AECMSCNEN NRNY|06.09.1961|LE MSUNCT RAY O|FOUMBAN|429|LASLEMEC|F|1.96 m"
VERSO = (
    "SAMA WIRBA OLIVER|AYUK THERESE MIREILLE|5P58|627371|ZENABOU BASSIROU|NGOA-EKELLE|13.04.2019|NW15|13.04.2029|"
    "20196328362886886|613414993"
)
FRONT_2025 = "REPUBLIQUE DU CAMEROUN|501625852|5|FEUDJIO|A8|Solange d'Assise|J1w|18.06.1960|n fre|24.07.2030"


def detect(text: str) -> Detection:
    return CLASSIFIER.detect([line(part, row, score=0.95) for row, part in enumerate(text.split("|"))])


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (RECTO, "cni-2018-recto"),
        (RECTO.replace(TITLE, "NEPUILIQUN ON CAMROUN / NEPURLK CF CAMEROON"), "cni-2018-recto"),
        (RECTO.replace("06.09.1961", "D eD a 06.09.1961").replace("|F|", "|Smo5m F|"), "cni-2018-recto"),
        (VERSO, "cni-2018-verso"),  # no title, but a number of seventeen digits
        (FRONT_2025, "cni-2025-recto"),
    ],
)
def test_values_say_what_labels_do_not(text: str, document: str) -> None:
    found = detect(text)
    assert found.document is not None and found.document.name == document and found.guessed


@pytest.mark.parametrize(
    "text",
    [
        RECTO.replace(TITLE, "REPUBLIQUE DU TCHAD"),
        RECTO.replace(TITLE, "FACTURE"),
        RECTO.replace("|F|", "|"),  # a day and a height are too little
        f"{RECTO}|24.12.2033",  # a day more than the document has
        f"{RECTO}|123456789012",  # a number that it does not print
        f"{RECTO}|PASSEPORT/PASSPORT",
        f"{RECTO}|PERMIS DE CONDUIRE|CATEGORIES DE VEHICULES",
        VERSO.replace("20196328362886886", "2019632836288688"),
        FRONT_2025.replace("501625852|", ""),
        FRONT_2025.replace("501625852|", "").replace("24.07.2030", "24.07.2030|501625852"),  # stands elsewhere
    ],
)
def test_without_the_state_or_with_a_stranger_among_them_they_say_nothing(text: str) -> None:
    found = detect(text)
    assert found.document is None and not found.guessed


def test_labels_that_were_read_need_no_guess() -> None:
    read = (
        f"{TITLE}|NOM/SURNAME|A|PRENOMS/GIVEN NAMES|B|DATE DE NAISSANCE/DATE OF BIRTH|06.09.1961|SEXE/SEX|F|TAILLE|1.96"
    )
    assert detect(read).document is not None and not detect(read).guessed


def test_the_answer_says_that_it_is_a_guess() -> None:
    guess = detect(RECTO)
    assert guess.document is not None
    told = _about_all(guess.document, guess, _Answer(), {})  # type: ignore[arg-type]
    assert "document_guessed" in {each.code for each in told}
    asked = builtin().find("cni-2025-verso")
    assert asked is not None  # who names another document is not contradicted by a guess
    assert not {"looks_like_other", "document_guessed"} & {
        each.code
        for each in _about_all(asked, guess, _Answer(), {})  # type: ignore[arg-type]
    }


def test_two_documents_of_the_same_values_are_none() -> None:
    recto = builtin().find("cni-2018-recto")
    assert recto is not None
    lines = [line(part, row) for row, part in enumerate(RECTO.split("|"))]
    assert told_by_values([recto], lines) is recto
    assert told_by_values([recto, recto.model_copy(update={"name": "another"})], lines) is None


class _Answer:
    class prompt:
        dropped, lines = 0, ()
