"""The rule-based baseline on lines as an OCR gives them."""

import math

from benchmarks.rivals.rules import Line, extract

ROWS = (
    ("N0M/SURNAME", 20, 20), ("NGO MBARGA", 20, 45), ("PRENOMSGIVEN NAMES", 20, 80), ("ÉLISE MARIE", 20, 105),
    ("CHANTAL", 20, 130), ("DATEDENAISSANCE/DATE OF BIRTH", 20, 160), ("01.021990", 20, 185),
    ("LIEUDE NAISSANCE/PLACE OF BIRTH", 20, 220), ("GAROUA", 20, 245), ("SEXE/SEX", 20, 280),
    ("TAILLE/HEIGHT", 200, 280), ("F", 20, 305), ("1,66 m", 200, 305), ("PROFESSION/OCCUPATION", 20, 340),
    ("DGSN", 300, 420),
)  # fmt: skip
VALUES = {
    "nom_surname": "NGO MBARGA", "prenom_given_name": "ÉLISE MARIE CHANTAL", "date_of_birth": "01.02.1990",
    "lieu_of_birth": "GAROUA", "sex": "F", "taille": "1.66", "profession": None,
}  # fmt: skip


def lines(degrees: float = 0.0) -> list[Line]:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    found = []
    for text, x, y in ROWS:
        corners = ((x, y), (x + 9 * len(text), y), (x + 9 * len(text), y + 20), (x, y + 20))
        found.append(Line(text, tuple((a * cosine - b * sine, a * sine + b * cosine) for a, b in corners)))
    return found


def test_damaged_labels_two_columns_and_a_value_over_two_lines() -> None:
    assert extract("cni-2018-recto", lines()) == VALUES


def test_a_tilted_card_reads_the_same() -> None:
    assert extract("cni-2018-recto", lines(15)) == VALUES


def test_nothing_gives_nothing() -> None:
    assert set(extract("cni-2025-verso", []).values()) == {None}
