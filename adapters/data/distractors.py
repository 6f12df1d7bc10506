"""Pictures that are no card: what people send by mistake, drawn with invented content. None shows a real document."""

import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from adapters.data.fonts import load, pick_family

_LABEL_ROW = (
    "NOM/SURNAME, PRENOMS/GIVEN NAMES, DATE DE NAISSANCE/DATE OF BIRTH, LIEU DE NAISSANCE/PLACE OF BIRTH, SEXE/SEX, "
    "TAILLE/HEIGHT, PROFESSION/OCCUPATION, PERE/FATHER, MERE/MOTHER, ADRESSE/ADDRESS, S.P./S.M., AUTORITE/AUTHORITY, "
    "DATE DE DELIVRANCE/DATE OF ISSUE, DATE D'EXPIRATION/DATE OF EXPIRY, IDENTIFIANT UNIQUE/UNIQUE IDENTIFIER, "
    "NUMERO CNI / NIC NUMBER, SIGNATURE"
)
_LABELS = _LABEL_ROW.split(", ")
_WORD_ROW = (
    "la le une des pour avec marché route travail école village rivière matin soir pluie saison maison porte jardin "
    "the a of with market road school river morning evening rain season house door garden paper water light stone"
)
_WORDS = _WORD_ROW.split()
_GOODS = ("RIZ 5KG", "HUILE 1L", "SAVON", "SUCRE", "LAIT", "PAIN", "CAHIER", "STYLO BLEU", "PILES AA", "EAU 1.5L")
_NAMES = ("ZOLA MIREI", "TARIK ONDELE", "PELU SANDRA", "KORVAN ETI", "MAISU BELO", "DANTE ROUKI")


def _date(rng: random.Random) -> str:
    return f"{rng.randrange(1, 29):02d}.{rng.randrange(1, 13):02d}.{rng.randrange(1960, 2030)}"


def _prose(rng: random.Random) -> list[str]:
    rows = (" ".join(rng.choices(_WORDS, k=rng.randrange(5, 9))) for _ in range(rng.randrange(8, 18)))
    return [f"{row.capitalize()}." for row in rows]


def _receipt(rng: random.Random) -> list[str]:
    rows = (f"{rng.choice(_GOODS)}   1 x {rng.randrange(1, 90) * 50}" for _ in range(rng.randrange(4, 11)))
    return ["SUPERMARCHE DU CENTRE", f"TICKET {rng.randrange(10_000)}", _date(rng), *rows, "TOTAL FCFA", "MERCI"]


def _passport(rng: random.Random) -> list[str]:
    """Of a state that does not exist, with a zone of a passport's form."""
    state, code = rng.choice((("REPUBLIQUE DE VELORIE", "VLR"), ("REPUBLIC OF ZANTARA", "ZNT")))
    surname, given = rng.choice(_NAMES).split()
    upper = f"P<{code}{surname}<<{given}".ljust(44, "<")
    lower = f"{rng.randrange(10**8, 10**9)}7{code}8001014M3001011".ljust(43, "<") + "4"
    rows = ["PASSEPORT/PASSPORT", _LABELS[0], surname, _LABELS[1], given, _LABELS[2], _date(rng), _LABELS[4], "F"]
    return [state, *rows, _LABELS[3], "PORTELA", _LABELS[12], _date(rng), _LABELS[11], "MAIRIE", upper, lower]


def _licence(rng: random.Random) -> list[str]:
    rows = [f"1. {rng.choice(_NAMES)}", f"3. {_date(rng)}", f"4a. {_date(rng)}", f"4b. {_date(rng)}"]
    return ["PERMIS DE CONDUIRE", "DRIVING LICENCE", *rows, f"5. {rng.randrange(10**7, 10**8)}", "9. B  C1"]


def _foreign_card(rng: random.Random) -> list[str]:
    surname, given = rng.choice(_NAMES).split()
    rows = [_LABELS[0], surname, _LABELS[1], given, _LABELS[2], _date(rng), "NATIONALITE / NATIONALITY", "VELORIENNE"]
    return ["REPUBLIQUE DE VELORIE", "CARTE NATIONALE D'IDENTITE", *rows, _LABELS[4], "M", _LABELS[5], "1,78"]


def _badge(rng: random.Random) -> list[str]:
    rows = ["NOM", rng.choice(_NAMES), "FILIERE", "PHYSIQUE", "MATRICULE", f"{rng.randrange(10**6, 10**7)}"]
    return ["UNIVERSITE DES LACS", "CARTE D'ETUDIANT", *rows, "ANNEE ACADEMIQUE 2025/2026"]


def _form(rng: random.Random) -> list[str]:
    """A blank application form: labels of several documents, nothing behind them."""
    rows = [f"{number}. {label} ........" for number, label in enumerate(rng.sample(_LABELS, rng.randrange(9, 16)), 1)]
    return ["FORMULAIRE DE DEMANDE", "A REMPLIR EN LETTRES CAPITALES", *rows, "FAIT A ........ LE ........"]


def _salad(rng: random.Random) -> list[str]:
    """Labels of both sides and both versions among other words, in any order."""
    rows = [*rng.sample(_LABELS, rng.randrange(6, 14)), *rng.choices(_WORDS, k=6), *(_date(rng) for _ in range(2))]
    rng.shuffle(rows)
    return rows


def _nothing(rng: random.Random) -> list[str]:
    return []


KINDS: dict[str, Callable[[random.Random], list[str]]] = {
    "receipt": _receipt, "passport": _passport, "driving licence": _licence, "another state's card": _foreign_card,
    "student card": _badge, "text page": _prose, "form": _form, "salad of labels": _salad, "blank": _nothing,
    "noise": _nothing,
}  # fmt: skip


def draw_other(kind: str, seed: int, index: int) -> Image.Image:
    """Picture `index` of a kind; the same arguments always give the same picture."""
    rng = random.Random(f"other:{seed}:{kind}:{index}")
    size = rng.choice(((1012, 638), (638, 1012), (900, 1200)))
    if kind == "noise":
        return Image.frombytes("L", size, rng.randbytes(size[0] * size[1])).convert("RGB")
    image = Image.new("RGB", size, tuple(rng.randrange(215, 250) for _ in range(3)))
    _write(rng, image, KINDS[kind](rng))
    return image


def _write(rng: random.Random, image: Image.Image, rows: Sequence[str]) -> None:
    """The rows one under the other, as large as fits."""
    draw = ImageDraw.Draw(image)
    step = (image.height - 60) / max(len(rows), 8)
    font_file = pick_family(rng, "test").regular
    for place, row in enumerate(rows):
        size = int(min(34, step * 0.7))
        while size > 12 and load(font_file, size).getlength(row) > image.width - 60:
            size -= 1
        draw.text((rng.uniform(24, 40), 30 + place * step), row, fill=(25, 25, 35), font=load(font_file, size))
