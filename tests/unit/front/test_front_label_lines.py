"""A label is no value; a name or a trade that looks like one is."""

import pytest

from ocr_frontend.extraction.label_lines import is_label, without_labels
from ocr_frontend.ocr.reader import Box, TextLine

BOX: Box = ((0, 0), (1, 0), (1, 1), (0, 1))


@pytest.mark.parametrize(
    "text",
    [
        "NOM/SURNAME",
        "PRENOMSGIVEN NAMES",
        "DATEDE NAISSANCE/DATEOF BIRTH",
        "LIEU DE NAISSANCEIPLACE OF BIRTH",
        "IDENTIFIANTUNIQUEI",
        "PROFESSION / OCCUPATlON",
        "REPUBLIQUE DU CAMEROUN",
        "SPECIMEN",
    ],
)
def test_labels_are_known_damaged_or_not(text: str) -> None:
    assert is_label(text)


@pytest.mark.parametrize("text", ["TAILLEUR", "NGO MBARGA", "PERE", "SURNAMEWA", "PROFESSION LOGISTICIEN", "", "12"])
def test_values_are_not(text: str) -> None:
    assert not is_label(text)


def test_only_text_fields_lose_a_label() -> None:
    lines = [TextLine("NOM/SURNAME", 1.0, BOX), TextLine("MBARGA", 1.0, BOX)]
    given = {"name": 0, "other": 1, "date": 0, "written": "NOM/SURNAME", "both": (0, 1), "twice": (0, 0), "all": (1, 1)}
    left = {**given, "name": None, "both": 1, "twice": None}
    assert without_labels(given, set(given) - {"date"}, lines) == left
