"""Which document a picture shows: the four of them, damaged as OCR damages them, and a drawer full of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.samples import text_samples
from ocr_frontend.documents.classify import NO_LABELS, OTHERS, TOO_FEW, Classifier, Detection
from ocr_frontend.documents.registry import builtin
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO, line

RECTO_NAME = "cni-2018-recto"
CLASSIFIER = Classifier(builtin())
REPUBLIC = "REPUBLIQUE DU CAMEROUN|REPUBLIC OF CAMEROON"
LABELS = (
    "NOM/SURNAME|A|PRENOMS/GIVEN NAMES|B|DATE DE NAISSANCE/DATE OF BIRTH|LIEU DE NAISSANCE/PLACE OF BIRTH|"
    "SEXE/SEX|TAILLE/HEIGHT|PROFESSION/OCCUPATION"
)


def detect(text: str) -> Detection:
    parts = text.split("|")
    return CLASSIFIER.detect([line(part.strip(), row, score=0.95) for row, part in enumerate(parts)])


def name_of(text: str) -> str | None:
    document = detect(text).document
    return document and document.name


def test_simulated_cards_of_all_documents() -> None:
    wrong, unknown = 0, 0
    nowhere = ((0, 0), (0, 0), (0, 0), (0, 0))
    for sample in text_samples(3, 400, "valid", list(builtin().readable)):  # type: ignore[arg-type]
        found = CLASSIFIER.detect([TextLine(each.text, each.score, nowhere) for each in sample.lines]).document
        unknown += found is None
        wrong += found is not None and found.name != sample.record.document
    assert wrong == 0 and unknown <= 2


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (f"{REPUBLIC}|{LABELS}", "cni-2018-recto"),
        ("NOMISURNAME|PRENOMSGIVENNAMES|DATEDENAISSANCEIDATEOFBIRTH|SEXESEX TAILLE HEIGHT", "cni-2018-recto"),
        ("PERE/FATHER|MERE/MOTHER|S.P./S.M.|AUTORITE/AUTHORITY", "cni-2018-verso"),
        (
            "PERE/FATHER|ADRESSE/ADDRESS|DATEDEDELIVRANCE/|DATE OFISSUE|POSTEDIDENTIFICATCN|IDENTIFIANTUNIQUEI",
            "cni-2018-verso",
        ),
        (
            "801153989|NOM/SURNAME|PRENOMS/GIVEN NAMES|DATE DE NAISSANCE/DATE OF BIRTH|"
            "DATE D'EXPIRATION/DATE OF EXPIRY",
            "cni-2025-recto",
        ),
        ("NOM DU PERE / FATHER'S NAME|NOM DE LA MERE / MOTHER'S NAME|NUMERO CNI / NIC NUMBER", "cni-2025-verso"),
        ("NOM DU PERE|I<CMR9888897944DH37800202<<<<<|4505145M3504174CMR<<<<<<<<<<<6", "cni-2025-verso"),
        (f"REPUBLIQUEDU GANFROUN|{LABELS}", "cni-2018-recto"),
        ("NOM/SUNAME|PRFNDMS/GIVFN NANES|DATF DE NAISANCE/DATE OF BIRIH|TAILE/HEIGHT|ROFESSION/OCCUPTION", RECTO_NAME),
    ],
)  # fmt: skip
def test_labels_decide(text: str, document: str) -> None:
    assert name_of(text) == document


@pytest.mark.parametrize(
    "value",
    ["AGENT PASSEPORT", "AGENT CARTE GRISE", "CHEF SERVICE PASSEPORTS", "RUE DE LA REPUBLIQUE DOUALA", "TAILLEUR",
     "NATIONALITE", "CAMEROUN", "INSPECTEUR PERMIS DE CONDUIRE", "AVENUE DE LA REPUBLIQUE BASTOS"],
)  # fmt: skip
def test_no_card_is_refused_for_a_word_inside_a_value(value: str) -> None:
    assert name_of(f"{REPUBLIC}|{LABELS}|{value}") == "cni-2018-recto"
    verso = "CAMEROUN CAMEROON|PERE/FATHER|X|MERE/MOTHER|Y|S.P./S.M.|AUTORITE/AUTHORITY|ADRESSE/ADDRESS"
    assert name_of(f"{verso}|{value}") == "cni-2018-verso"


OTHER = {
    "a passport": f"{REPUBLIC}|PASSEPORT/PASSPORT|{LABELS}",
    "a driving licence": f"{REPUBLIC}|PERMIS DE CONDUIRE|DRIVING LICENCE|MBARGA",
    "a residence permit": f"{REPUBLIC}|CARTE DE SEJOUR|{LABELS}",
    "a voter's card": f"{REPUBLIC}|ELECTIONS CAMEROON|VOTER'S CARD|{LABELS}",
    "a civil status certificate": f"{REPUBLIC}|ACTE DE NAISSANCE|BIRTH CERTIFICATE|Sexe/Sex|Père/Father|Mère/Mother",
    "an identity document of another kind": f"{REPUBLIC}|RECEPISSE DE DEMANDE|{LABELS}",
    "another country's document": f"REPUBLIQUE DU TCHAD|{LABELS}",
    "another country's card": f"{LABELS}|IDFRAD2H6862M26<<<<<<<<<<<<<<<|9007138F3002119FRA<<<<<<<<<<<6",
}


NEW_VERSO = "NOM DU PERE / FATHER'S NAME|ABENA|NOM DE LA MERE / MOTHER'S NAME|NGO|LIEU DE NAISSANCE/PLACE OF BIRTH"


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "|I<CMR9888897944DH37800202<<<<<|4505145M3504174CMR<<<<<<<<<<<6",
        # The first line in pieces, and a name that begins as a passport's zone does.
        "|I<CMR9888897944|DH37800202<<<<<|4505145M3504174CMR<<<<<<<<<<<6|PENDA<<ELISE<<<<<<<<<<<<<<<<<<",
    ],
)
def test_a_birth_abroad_makes_no_other_countrys_card(zone: str) -> None:
    text = f"{NEW_VERSO}|REPUBLIQUE DU CONGO|PROFESSION/OCCUPATION|MARIN|NUMERO CNI / NIC NUMBER{zone}"
    assert name_of(text) == "cni-2025-verso"


@pytest.mark.parametrize(
    "upper", ["ABENA|NGO|REPUBLIQUE DU CONGO", "KAMGA|ABENA|20.12.2026|REPUBLIQUE DU CONGO", "X|REPUBLIQUE DU TCHAD"]
)
def test_a_birth_abroad_makes_none_where_the_labels_above_it_were_not_read(upper: str) -> None:
    lower = "PROFESSION/OCCUPATION|MARIN|DATE DE DELIVRANCE/DATE OF ISSUE|20.12.2026|NUMERO CNI / NIC NUMBER"
    assert name_of(f"{upper}|{lower}|SN51009056") == "cni-2025-verso"


def test_another_country_stands_below_its_community() -> None:
    assert detect(f"CEMAC|REPUBLIQUE DU TCHAD|{LABELS}").reason == "It looks like another country's document."


@pytest.mark.parametrize("kind", OTHER)
def test_other_documents_are_named(kind: str) -> None:
    found = detect(OTHER[kind])
    assert (found.document, found.reason, found.sure_none) == (None, f"It looks like {kind}.", True)


@pytest.mark.parametrize("zone", ["P<CMRMBALLA<<JEAN<<<<<<<<<<<<<<<<<<", "P<CMRMBALLA<<R0LAND|<<<<<<<<<<<<<<<"])
def test_a_passport_by_its_zone_alone(zone: str) -> None:
    assert detect(zone).reason == "It looks like a passport."


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
    found = detect(text)
    assert (found.document, found.reason) == (None, reason)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("PÈRE|X|MÈRE|Y|AUTORITÉ|Z|DATE DE DÉLIVRANCE|20.12.2018|DATE D'EXPIRATION|{}", "cni-2018-verso"),
        ("FATHER|X|MOTHER|Y|DATE OF ISSUE|20.12.2026|HEIGHT|1.70|NIC NUMBER|{}", "cni-2025-verso"),
    ],
)
def test_labels_in_one_language_do_where_a_number_tells_the_document(text: str, name: str) -> None:
    number = {"cni-2018-verso": "20186487147543367", "cni-2025-verso": "SN51009056"}[name]
    found = detect(text.format(f"IDENTIFIANT UNIQUE {number}" if "PÈRE" in text else number)).document
    assert found is not None and found.name == name
    assert detect(text.format("12345")).reason == TOO_FEW
    strange = "REPUBLIQUE DU CONGO|" + text.format(number)
    assert detect(strange).document is None


def test_two_cards_on_one_picture_are_noticed() -> None:
    assert not CLASSIFIER.detect([line(text, row) for row, text in enumerate(RECTO)]).several
    both = [line(text, row, left) for left in (10, 900) for row, text in enumerate(RECTO)]
    assert CLASSIFIER.detect(both).several


@given(st.lists(st.text(max_size=40), max_size=8))
def test_any_text_is_answered(texts: list[str]) -> None:
    found = CLASSIFIER.detect([line(text, row, score=0.5) for row, text in enumerate(texts)])
    assert (found.document is None) == bool(found.reason)
