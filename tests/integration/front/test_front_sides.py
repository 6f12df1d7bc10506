"""`POST /v1/cards`: both pictures in one call."""

import json
from typing import Any

import pytest
from PIL import Image

from ocr_frontend.documents.registry import builtin
from tests.integration.front.fakes import (
    RECTO_TEXT,
    VERSO_TEXT,
    FakeModelServer,
    FakeReader,
    picture,
    running,
    text_lines,
)

RECTO, VERSO = builtin().readable["cni-2018-recto"].keys, builtin().readable["cni-2018-verso"].keys


# The zone says 123456789, the recto's number is misread in its last digit.
FRONT = (
    "REPUBLIQUE DU CAMEROUN", "123456780", "NOM/SURNAME", "NGO MBARGA", "PRENOMS/GIVEN NAMES", "ELISE",
    "DATE DE NAISSANCE/DATE OF BIRTH", "01.02.1990", "SEXE/SEX", "F", "DATE D'EXPIRATION/DATE OF EXPIRY", "01.01.2035",
)  # fmt: skip
BACK = (
    "NOM DU PERE / FATHER'S NAME", "ABENA", "NUMERO CNI / NIC NUMBER", "AB12345678", "TAILLE / HEIGHT", "1,70",
    "I<CMR1234567897AB12345678<<<<<", "9002018F3501014CMR<<<<<<<<<<<5", "NGO<MBARGA<<ELISE<<<<<<<<<<<<<",
)  # fmt: skip


class TwoSides(FakeReader):
    """Recto and verso by turns; a part of a picture that is looked at again says nothing."""

    def __init__(self, recto: tuple[str, ...] = RECTO_TEXT, verso: tuple[str, ...] = VERSO_TEXT) -> None:
        super().__init__()
        self._sides = text_lines(*recto), text_lines(*verso)
        self._whole: tuple[int, ...] = ()

    def read(self, image: Any) -> list[Any]:
        self._whole = self._whole or image.shape
        if image.shape != self._whole:
            return []
        self.reads += 1
        return self._sides[(self.reads - 1) % 2]


def answer(body: dict[str, Any]) -> str:
    keys = RECTO if "NGO MBARGA" in body["prompt"] else VERSO
    values = {"nom_surname": "NGO MBARGA", "pere_father": "ABENA"}
    return json.dumps({key: values.get(key) for key in keys})


async def test_both_sides_in_one_call() -> None:
    server = FakeModelServer(answer)
    server.answered_by = "base"
    async with running(TwoSides(), server) as front:
        files = {"recto": ("a.jpg", picture()), "verso": ("b.jpg", picture())}
        response = await front.client.post("/v1/cards", files=files, data={"model": "base", "version": "2018"})
        body = response.json()
        assert response.status_code == 200, body
        assert body["document"] == "cni-2018" and list(body["data"]) == [*RECTO, *VERSO]
        assert body["data"]["nom_surname"] == "NGO MBARGA" and body["data"]["pere_father"] == "ABENA"
        assert [body["sides"][side]["document"] for side in ("recto", "verso")] == ["cni-2018-recto", "cni-2018-verso"]
        missing = await front.client.post("/v1/cards", files={"recto": ("a.jpg", picture())})
        assert missing.status_code == 400 and "`verso`" in missing.text
        broken = await front.client.post(
            "/v1/cards", files=files | {"verso": ("b.jpg", b"none")}, data={"model": "base"}
        )
        assert broken.status_code == 415 and broken.json()["error"]["message"].startswith("verso: ")
        assert (await front.client.post("/v1/cards", files=files, data={"version": "1999"})).status_code == 422


async def test_a_damaged_verso_costs_no_reading_of_the_recto() -> None:
    reader, whole = TwoSides(), picture(size=(600, 400))
    async with running(reader) as front:
        files = {"recto": ("a.jpg", whole), "verso": ("b.jpg", whole[: len(whole) // 3])}
        response = await front.client.post("/v1/cards", files=files, data={"version": "2018"})
        assert response.status_code == 400 and response.json()["error"]["message"].startswith("verso: ")
        assert reader.reads == 0


def answer_2025(body: dict[str, Any]) -> str:
    values = {
        "numero_de_carte": "123456780", "nom_surname": "NGO MBARGA", "prenom_given_name": "ELISE", "sex": "F",
        "date_of_birth": "01.02.1990", "date_of_expiration": "01.01.2035", "pere_father": "ABENA",
        "identifiant_unique": "AB12345678", "taille": "1,70",
    }  # fmt: skip
    side = "recto" if FRONT[1] in body["prompt"] else "verso"
    return json.dumps({key: values.get(key) for key in builtin().readable[f"cni-2025-{side}"].keys})


PERMIT = {
    "recto": [
        {"key": "holder", "standard": "surname", "printed": {"fr": ["TITULAIRE"], "en": ["HOLDER"]}},
        {"key": "number", "standard": "document_number", "type": {"digits": {"count": 9}},
         "printed": {"fr": ["NUMERO DU PERMIS"], "en": ["PERMIT NUMBER"]}},
        {"key": "born", "standard": "birth_date", "type": {"date": {"format": "%Y-%m-%d", "shapes": ["dmy"]}},
         "printed": {"fr": ["DATE DE NAISSANCE"], "en": ["DATE OF BIRTH"]}},
    ],
    "verso": [{"key": "town", "printed": {"fr": ["VILLE"], "en": ["TOWN"]}}],
}  # fmt: skip
PERMIT_FRONT = ("TITULAIRE/HOLDER", "NGO MBARGA", "NUMERO DU PERMIS/PERMIT NUMBER", "123456780",
                "DATE DE NAISSANCE/DATE OF BIRTH", "07.02.1990")  # fmt: skip
PERMIT_BACK = ("VILLE/TOWN", "DOUALA", *BACK[-3:])


def permits() -> FakeModelServer:
    """Another document of two sides, known by a model's contract alone."""
    documents = {}
    zone = {"format": "TD1", "shapes": {"optional_data": "aannnnnnnn"}}
    for side, fields in PERMIT.items():
        spec = {
            "name": f"permit-{side}", "family": "permit", "side": side, "title": {"en": f"a permit, {side}"},
            "fields": fields, "recognise": {"labels": 1},
            "machine_readable": zone if side == "verso" else None,
        }  # fmt: skip
        documents[f"permit-{side}"] = {"prefix": side, "fields": [field["key"] for field in fields], "spec": spec}
    contract = {"answer": "lines", "line": "{text} {index}\n", "suffix": "", "documents": documents}
    server = FakeModelServer(lambda body: "[1,3,5]" if body["prompt"].startswith("recto") else "[1]")
    server.cards.append({"id": "permit", "parent": "base", "prompt": contract})
    server.answered_by = "permit"
    return server


@pytest.mark.parametrize("version", ["auto", "permit"])
async def test_both_sides_of_a_document_that_a_model_brings(version: str) -> None:
    async with running(TwoSides(PERMIT_FRONT, PERMIT_BACK), permits()) as front:
        files = {"recto": ("a.jpg", picture()), "verso": ("b.jpg", picture())}
        response = await front.client.post("/v1/cards", files=files, data={"model": "permit", "version": version})
        other = await front.client.post("/v1/cards", files=files, data={"version": "permit"})
    body = response.json()
    assert response.status_code == 200, body
    # The zone's day in the form of the recto's own field.
    assert body["document"] == "permit"
    assert body["data"] == {"holder": "NGO MBARGA", "number": "123456789", "born": "1990-02-01", "town": "DOUALA"}
    told = {(warning["code"], warning["field"]) for warning in body["warnings"]}
    assert told == {("mrz_used", "number"), ("mrz_used", "born")}
    # A model that does not bring it does not know it.
    assert other.status_code == 422 and other.json()["error"]["code"] == "unknown_document"


async def test_the_zone_outranks_the_recto_and_says_so() -> None:
    server = FakeModelServer(answer_2025)
    server.answered_by = "base"
    async with running(TwoSides(FRONT, BACK), server) as front:
        tiff = picture("TIFF", save_all=True, append_images=[Image.new("RGB", (120, 80))])
        files = {"recto": ("a.jpg", picture()), "verso": ("b.tiff", tiff)}
        response = await front.client.post("/v1/cards", files=files, data={"model": "base", "version": "2025"})
        body = response.json()
        assert response.status_code == 200, body
        assert (body["data"]["numero_de_carte"], body["sources"]["numero_de_carte"]) == ("123456789", "mrz")
        assert body["sides"]["recto"]["data"]["numero_de_carte"] == "123456780"
        told = [(warning["code"], warning["field"]) for warning in body["warnings"]]
        assert told == [("mrz_used", "numero_de_carte"), ("pages_left_out", None)]
