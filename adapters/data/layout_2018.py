"""The landscape card of 2018 in a layout of our own: its labels are public, its drawing is not the state's."""

from adapters.data.card_layout import Box, Pen

SIZE = (1012, 638)


def recto(pen: Pen) -> Box:
    """Draws the recto's text; returns the portrait's box."""
    rng, style = pen.rng, pen.style
    pen.put("REPUBLIQUE DU CAMEROUN", (36, 22), style.label * 1.25, 430, "title")
    pen.put("REPUBLIC OF CAMEROON", (rng.uniform(560, 620), 20 + rng.uniform(0, 6)), style.label * 1.25, 390, "title")
    left = rng.random() < 0.75
    x = rng.uniform(300, 340) if left else rng.uniform(40, 60)
    portrait = (36.0, 120.0, 266.0, 420.0) if left else (752.0, 130.0, 980.0, 430.0)
    width = 960 - x if left else 730 - x
    y, row = rng.uniform(74, 86), rng.uniform(74, 78)
    pen.entry("nom_surname", ("NOM/SURNAME",), (x, y), width)
    pen.entry("prenom_given_name", ("PRENOMS/GIVEN NAMES",), (x, y + row), width)
    pen.entry("date_of_birth", ("DATE DE NAISSANCE/DATE OF BIRTH",), (x, y + 2 * row), min(width, 420))
    title_at = rng.choice(((700.0, y + 2.1 * row), (700.0, y + 2.5 * row), (360.0, 54.0))) if left else (390.0, 54.0)
    pen.put("CARTE NATIONALE D'IDENTITE", title_at, style.label * 0.95, 300, "title")
    pen.entry("lieu_of_birth", ("LIEU DE NAISSANCE/PLACE OF BIRTH",), (x, y + 3 * row), width)
    second = x + rng.uniform(180, 300)
    pen.entry("sex", ("SEXE/SEX",), (x, y + 4 * row), 150)
    pen.entry("taille", ("TAILLE/HEIGHT",), (second, y + 4 * row), 250)
    pen.entry("profession", ("PROFESSION/OCCUPATION",), (x, y + 5 * row), width)
    pen.put("SIGNATURE", (x, y + 6.1 * row), style.label, 200, "label")
    pen.put("DGSN", (rng.uniform(60, 120) if left else 860, 560), style.label * 1.3, 150, "other")
    return portrait


def verso(pen: Pen) -> None:
    """Draws the verso's text: two columns, the right one with its labels on two lines each."""
    rng = pen.rng
    x, y = rng.uniform(30, 50), rng.uniform(24, 34)
    row = pen.style.label * 1.32 + pen.style.value * 1.15 + rng.uniform(4, 10)
    pen.entry("pere_father", ("PERE/FATHER",), (x, y), 940)
    pen.entry("mere_mother", ("MERE/MOTHER",), (x, y + row), 940)
    _columns(pen, x, y + 2 * row)
    number_at = rng.choice(((x, 560.0), (x, 520.0), (rng.uniform(330, 400), 590.0)))
    number = pen.record.printed.get("numero_de_carte")
    if number is not None:
        pen.put(number, number_at, pen.style.value * rng.uniform(0.95, 1.2), 220, "value", field="numero_de_carte")
    pen.put("CAMEROUN CAMEROON", (rng.uniform(700, 740), 600), pen.style.label, 280, "title")


def _columns(pen: Pen, x: float, y: float) -> None:
    """Left the post's and the holder's entries; right issue, post, expiry and identifier, in one or two columns."""
    rng, tall = pen.rng, 2 * pen.style.label * 1.32 + pen.style.value * 1.15
    issue = ("DATE DE DELIVRANCE/", "DATE OF ISSUE")
    post = ("POSTE D'IDENTIFICATION/", "IDENTIFICATION POST")
    expiry = ("DATE D'EXPIRATION/", "DATE OF EXPIRY")
    unique = ("IDENTIFIANT UNIQUE/", "UNIQUE IDENTIFIER")
    middle = rng.uniform(360, 400)
    pen.entry("sp_sm", ("S.P./S.M.",), (x, y + rng.uniform(-4, 14)), 240)
    pen.entry("address", ("ADRESSE/ADDRESS",), (x, y + rng.uniform(78, 110)), middle - x - 20)
    below = pen.entry("authorité", ("AUTORITE/AUTHORITY",), (middle, y), 970 - middle)
    y = max(below + 4, y + tall - pen.style.label * 1.32) + rng.uniform(0, 8)
    tall += rng.uniform(4, 14)
    second = middle + rng.uniform(300, 330)
    pen.entry("date_of_issue", issue, (middle, y), 270)
    places = ((second, y), (middle, y + tall)) if rng.random() < 0.5 else ((middle, y + tall), (second, y))
    pen.entry("post", post, places[0], 280)
    pen.entry("date_of_expiration", expiry, places[1], 280)
    last = (second, y + tall) if rng.random() < 0.5 else (middle, y + 2 * tall)
    pen.entry("identifiant_unique", unique, last, 310)
