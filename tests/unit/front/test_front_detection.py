"""Which document a picture shows: the four of them, damaged as OCR damages them, and a drawer full of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.samples import text_samples
from ocr_frontend.documents.classify import NO_LABELS, OTHERS, OUT_OF_PLACE, TOO_FEW, detect
from ocr_frontend.documents.labels import joined, labels_in, resembles
from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.ocr.reader import Box, TextLine

NOWHERE: Box = ((0, 0), (0, 0), (0, 0), (0, 0))
REPUBLIC = "REPUBLIQUE DU CAMEROUN|REPUBLIC OF CAMEROON"
RECTO = (
    "NOM/SURNAME|A|PRENOMS/GIVEN NAMES|B|DATE DE NAISSANCE/DATE OF BIRTH|LIEU DE NAISSANCE/PLACE OF BIRTH|"
    "SEXE/SEX|TAILLE/HEIGHT|PROFESSION/OCCUPATION"
)


def lines(text: str, box: Box = NOWHERE) -> list[TextLine]:
    return [TextLine(part.strip(), 0.95, box) for part in text.split("|")]


def name_of(text: str) -> str | None:
    document = detect(lines(text)).document
    return document and document.name


def test_simulated_cards_of_all_documents() -> None:
    wrong, unknown = 0, 0
    for sample in text_samples(3, 400, "valid", list(DOCUMENTS)):  # type: ignore[arg-type]
        found = detect([TextLine(line.text, line.score, NOWHERE) for line in sample.lines]).document
        unknown += found is None
        wrong += found is not None and found.name != sample.record.document
    assert wrong == 0 and unknown <= 2


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (f"{REPUBLIC}|{RECTO}", "cni-2018-recto"),
        ("NOMISURNAME|PRENOMSGIVENNAMES|DATEDENAISSANCEIDATEOFBIRTH|SEXESEX TAILLE HEIGHT", "cni-2018-recto"),
        ("PERE/FATHER|MERE/MOTHER|S.P./S.M.|AUTORITE/AUTHORITY", "cni-2018-verso"),
        (
            "PERE/FATHER|ADRESSE/ADDRESS|DATEDEDELIVRANCE/|DATE OFISSUE|POSTEDIDENTIFICATCN|IDENTIFIANTUNIQUEI",
            "cni-2018-verso",
        ),
        (
            "NOM/SURNAME|PRENOMS/GIVEN NAMES|DATE DE NAISSANCE/DATE OF BIRTH|DATE D'EXPIRATION/DATE OF EXPIRY",
            "cni-2025-recto",
        ),
        ("NOM DU PERE / FATHER'S NAME|NOM DE LA MERE / MOTHER'S NAME|NUMERO CNI / NIC NUMBER", "cni-2025-verso"),
        ("NOM DU PERE|I<CMR9888897944DH37800202<<<<<|4505145M3504174CMR<<<<<<<<<<<6", "cni-2025-verso"),
    ],
)
def test_labels_decide(text: str, document: str) -> None:
    assert name_of(text) == document


FOREIGN = {
    "a passport": f"{REPUBLIC}|PASSEPORT/PASSPORT|{RECTO}",
    "a driving licence": f"{REPUBLIC}|PERMIS DE CONDUIRE|DRIVING LICENCE|MBARGA",
    "a residence permit": f"{REPUBLIC}|CARTE DE SEJOUR|{RECTO}",
    "a voter's card": f"{REPUBLIC}|ELECTIONS CAMEROON|VOTER'S CARD|{RECTO}",
    "a civil status certificate": f"{REPUBLIC}|ACTE DE NAISSANCE|BIRTH CERTIFICATE|Sexe/Sex|Père/Father|Mère/Mother",
    "an identity document of another kind": f"{REPUBLIC}|RECEPISSE DE DEMANDE|{RECTO}",
    "another country's document": f"REPUBLIQUE DU TCHAD|{RECTO}",
    "another country's card": f"TAILLE/HEIGHT|{RECTO}|IDFRAD2H6862M26<<<<<<<<<<<<<<<|9007138F3002119FRA<<<<<<<<<<<6",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_documents_are_named(kind: str) -> None:
    found = detect(lines(FOREIGN[kind]))
    assert (found.document, found.reason, found.sure_none) == (None, f"It looks like {kind}.", True)


def test_a_passport_by_its_zone_alone() -> None:
    assert detect(lines("P<CMRMBALLA<<JEAN<<<<<<<<<<<<<<<<<<")).reason == "It looks like a passport."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("TOTAL 5200 FCFA|ESPECES 10000|RENDU 4800|MERCI", NO_LABELS),
        ("~|国|12", NO_LABELS),
        ("Nom : X|Prénoms : Y|Date de naissance|Lieu de naissance|Sexe : M|Profession : COMPTABLE", TOO_FEW),
        ("First name|Date of birth|Sex|Height|Occupation|Place of birth|Given names", TOO_FEW),
        (
            f"{REPUBLIC}|Nom/Surname|Prénoms/Given names|Date de naissance/Date of birth|Lieu de naissance|"
            "Date de délivrance/Date of issue|Autorité/Authority|Date d'expiration/Date of expiry|Sexe/Sex",
            OTHERS,
        ),
    ],
)
def test_what_is_no_card_is_refused_with_a_reason(text: str, reason: str) -> None:
    found = detect(lines(text))
    assert (found.document, found.reason) == (None, reason)


def test_two_documents_that_fit_alike() -> None:
    text = "NOM/SURNAME|PRENOMS/GIVEN NAMES|DATE DE NAISSANCE/DATE OF BIRTH|SEXE/SEX"
    found = detect(lines(text))
    assert found.document is None and "may be" in found.reason
    assert name_of(f"801153989|{text}") == "cni-2025-recto"  # the number stands above the labels


def test_a_damaged_republic_is_not_another_state() -> None:
    assert name_of(f"REPUBLIQUEDU GANFROUN|{RECTO}") == "cni-2018-recto"


def test_labels_of_one_word_apart_are_not_taken_for_each_other() -> None:
    assert labels_in(joined(["PLACE OF BIRTH"])).names == {"birth place"}
    assert labels_in(joined(["DATEDENAlSSANCE"])).names == {"birth"}
    assert labels_in(joined(["DATE OF", "BIRTH"])).names == set()


@given(st.text("ABC", min_size=3, max_size=8), st.text("ABC\n", max_size=20), st.integers(1, 2))
def test_the_approximate_search_is_exact_about_edits(pattern: str, text: str, edits: int) -> None:
    assert resembles(pattern, text, edits) == (_distance(pattern, text) <= edits)


def _distance(pattern: str, text: str) -> int:
    """Sellers' table: the fewest edits between the pattern and any part of the text."""
    row = list(range(len(pattern) + 1))
    best = row[-1]
    for character in text:
        above, row = row, [0]
        for index, wanted in enumerate(pattern):
            row.append(min(above[index] + (wanted != character), above[index + 1] + 1, row[index] + 1))
        best = min(best, row[-1])
    return best


@given(st.lists(st.text(max_size=40), max_size=8))
def test_any_text_is_answered(texts: list[str]) -> None:
    found = detect([TextLine(text, 0.5, NOWHERE) for text in texts])
    assert (found.document is None) == bool(found.reason)


def test_the_labels_of_a_card_in_any_order_are_no_card() -> None:
    """A form that lists what a card shows, with dates among it."""
    texts = (
        "AUTORITE/AUTHORITY", "IDENTIFIANT UNIQUE/UNIQUE IDENTIFIER", "DATE D'EXPIRATION/DATE OF EXPIRY", "01.02.2030",
        "MERE/MOTHER", "S.P./S.M.", "ADRESSE/ADDRESS", "DATE DE DELIVRANCE/DATE OF ISSUE", "01.02.2020", "PERE/FATHER",
    )  # fmt: skip
    page = [
        TextLine(text, 0.98, ((30, 40 * row), (400, 40 * row), (400, 40 * row + 25), (30, 40 * row + 25)))
        for row, text in enumerate(texts)
    ]
    assert detect(page).reason == OUT_OF_PLACE
    order = (9, 4, 0, 5, 7, 8, 6, 2, 3, 1)
    card = [TextLine(texts[at], 0.98, page[row].box) for row, at in enumerate(order)]
    assert detect(card).document is DOCUMENTS["cni-2018-verso"]
