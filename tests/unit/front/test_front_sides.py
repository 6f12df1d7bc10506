"""Recto and verso put together: what both tell is compared, a stranger's verso is noticed."""

from datetime import date
from typing import Any

import pytest

from ocr_frontend.api.schemas import Extraction, FieldAnswer, OcrAnswer, QualityAnswer, ZoneAnswer
from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.errors import UnknownDocument
from ocr_frontend.extraction.two_sided import documents_of, together

ZONE = ZoneAnswer(
    holds=True, numero_de_carte="123456789", identifiant_unique="AB12345678", date_of_birth=date(1990, 2, 1),
    date_of_expiration=date(2035, 1, 1), sex="F", surname="NGO MBARGA", given_names="ELISE",
)  # fmt: skip
RECTO = {
    "numero_de_carte": "123456789", "nom_surname": "NGO MBARGA", "prenom_given_name": "ÉLISE",
    "date_of_birth": "01.02.1990", "sex": "F", "date_of_expiration": "01.01.2035",
}  # fmt: skip
VERSO = {"pere_father": "ABENA", "date_of_issue": "01.01.2025"}


def answer(document: str, values: dict[str, Any], zone: ZoneAnswer | None = None) -> Extraction:
    data = {name: values.get(name) for name in DOCUMENTS[document].keys}
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


def card(recto: dict[str, Any], zone: ZoneAnswer | None, version: str = "2025", verso: str = "verso") -> Any:
    sides = {"recto": answer(f"cni-{version}-recto", recto), "verso": answer(f"cni-2025-{verso}", VERSO, zone)}
    return together("1", sides)


def test_one_person() -> None:
    both = card(RECTO, ZONE)
    assert both.document == "cni-2025" and both.warnings == ()
    assert set(both.compared) == set(RECTO)
    assert both.data["nom_surname"] == "NGO MBARGA" and both.data["pere_father"] == "ABENA"


@pytest.mark.parametrize(
    ("change", "differ"),
    [
        ({"numero_de_carte": "123456780"}, "numero_de_carte"),
        ({"date_of_birth": "02.02.1990"}, "date_of_birth"),
        ({"sex": "M", "nom_surname": "TCHOUPO"}, "sex, nom_surname"),
    ],
)
def test_two_persons(change: dict[str, str], differ: str) -> None:
    both = card(RECTO | change, ZONE)
    assert both.warnings == (f"The two sides do not seem to be of one person: {differ} differ.",)
    assert both.data["numero_de_carte"] == (RECTO | change)["numero_de_carte"]  # no value is changed


def test_names_cut_by_the_zone_and_small_misreadings_are_one_person() -> None:
    zone = ZONE.model_copy(update={"surname": "NGO MBAR", "given_names": "ELSE"})
    assert card(RECTO, zone).warnings == ()


def test_without_a_zone_little_can_be_said() -> None:
    both = card(RECTO, None)
    assert both.compared == () and both.warnings == ()
    later = card(RECTO | {"date_of_birth": "01.02.2026"}, None)
    assert later.warnings == ("The two sides do not seem to be of one person: issued before the birth.",)


def test_wrong_pictures() -> None:
    assert "of different versions" in card({}, None, version="2018").warnings[0]
    assert card({}, None, version="2018").document is None
    assert "sent as verso shows a recto" in card(RECTO, None, verso="recto").warnings[0]


def test_versions() -> None:
    assert documents_of("auto") == {"recto": None, "verso": None}
    assert documents_of("2018")["verso"] is DOCUMENTS["cni-2018-verso"]
    with pytest.raises(UnknownDocument):
        documents_of("1999")
