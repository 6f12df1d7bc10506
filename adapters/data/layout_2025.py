"""The portrait card of 2025 in a layout of our own: its labels are public, its drawing is not the state's."""

from adapters.data.card_layout import Box, Pen

SIZE = (638, 1012)


def recto(pen: Pen) -> Box:
    """Draws the recto's text; returns the portrait's box."""
    rng, style, record = pen.rng, pen.style, pen.record
    pen.put("REPUBLIQUE DU CAMEROUN", (30, 24), style.label * 1.15, 300, "title")
    pen.put("REPUBLIC OF CAMEROON", (rng.uniform(350, 370), 24 + rng.uniform(0, 10)), style.label * 1.1, 260, "title")
    number = record.printed.get("numero_de_carte")
    if number is not None:
        at = (rng.choice((40.0, 220.0, 400.0)), rng.uniform(68, 96))
        pen.put(number, at, style.value * rng.uniform(1, 1.25), 210, "value", field="numero_de_carte")
    for word in ("TRAVAIL", "PATRIE", "CMR"):
        if rng.random() < 0.8:
            at = (rng.uniform(30, 460), rng.uniform(150, 470))
            pen.put(word, at, rng.uniform(24, 44), 200, "background")
    x, y, row = rng.uniform(36, 60), rng.uniform(490, 510), rng.uniform(80, 86)
    pen.entry("nom_surname", ("NOM/SURNAME",), (x, y), 620 - x)
    pen.entry("prenom_given_name", ("PRENOMS/GIVEN NAMES",), (x, y + row), 620 - x)
    pen.entry("date_of_birth", ("DATE DE NAISSANCE/DATE OF BIRTH",), (x, y + 2 * row), 400)
    beside = rng.random() < 0.5
    pen.entry("sex", ("SEXE/SEX",), (x, y + 3 * row) if beside else (480, y + 2 * row), 120)
    at = (x + rng.uniform(140, 190), y + 3 * row) if beside else (x, y + 3 * row)
    pen.entry("date_of_expiration", ("DATE D'EXPIRATION/DATE OF EXPIRY",), at, 610 - at[0])
    pen.put("SIGNATURE/HOLDER'S SIGNATURE", (x, y + 4 * row + 10), style.label, 400, "label")
    left = rng.choice((36.0, 170.0, 330.0))
    return (left, 135.0, left + 265, 470.0)


def verso(pen: Pen) -> None:
    """Draws the verso's text and its machine-readable zone."""
    rng = pen.rng
    x, y, row = rng.uniform(30, 46), rng.uniform(40, 56), rng.uniform(88, 94)
    wide, half = 620 - x, rng.uniform(330, 345)
    pen.entry("pere_father", ("NOM DU PERE / FATHER'S NAME",), (x, y), wide)
    pen.entry("mere_mother", ("NOM DE LA MERE / MOTHER'S NAME",), (x, y + row), wide)
    pen.entry("lieu_of_birth", ("LIEU DE NAISSANCE / PLACE OF BIRTH",), (x, y + 2 * row), wide)
    pen.entry("profession", ("PROFESSION / OCCUPATION",), (x, y + 3 * row), wide)
    pen.entry("date_of_issue", ("DATE DE DELIVRANCE / DATE OF ISSUE",), (x, y + 4 * row), half - x - 12)
    beside = (half, y + 4 * row)
    below = (x, y + 5 * row)
    pen.entry("identifiant_unique", ("NUMERO CNI / NIC NUMBER",), beside, 285)
    pen.entry("taille", ("TAILLE / HEIGHT",), below, 200)
    authority = (half, y + 5 * row) if rng.random() < 0.4 else (x, y + 6 * row)
    pen.entry("authorité", ("LE DGSN/THE DGNS",), authority, 620 - authority[0])
    top = rng.uniform(850, 866)
    for i in range(3):
        zone = pen.record.extras[f"mrz{i + 1}"]
        pen.put(zone, (26, top + i * 44), 32, 588, "mrz")
