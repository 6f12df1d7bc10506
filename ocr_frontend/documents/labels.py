"""The labels printed on the cards, and finding them in OCR text that has lost spaces, slashes, accents and letters."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Label:
    """The forms of one label: letters only, upper case, without accents; OCR splits the two languages apart."""

    french: tuple[str, ...] = ()
    english: tuple[str, ...] = ()
    neither: tuple[str, ...] = ()  # the same word in both, or a sign


LABELS: dict[str, Label] = {
    "republic": Label(neither=("CAMEROUN", "CAMEROON")),
    "title": Label(("CARTENATIONALEDIDENTITE",), ("NATIONALIDENTITYCARD",)),
    "surname": Label(("NOMSURNAME",), ("SURNAME",)),
    "given names": Label(("PRENOMS",), ("GIVENNAMES",)),
    "birth": Label(("DATEDENAISSANCE",), ("DATEOFBIRTH",)),
    "birth place": Label(("LIEUDENAISSANCE",), ("PLACEOFBIRTH",)),
    "sex": Label(("SEXE",), ("SEXESEX", "SEXEISEX")),
    "height": Label(("TAILLE",), ("HEIGHT",)),
    "occupation": Label(("PROFESSION",), ("OCCUPATION",)),
    "signature": Label(neither=("SIGNATURE",)),
    "holder's signature": Label((), ("HOLDERSSIGNATURE",)),
    "father": Label(("PEREFATHER", "PEREIFATHER", "NOMDUPERE"), ("FATHER",)),
    "mother": Label(("MEREMOTHER", "MEREIMOTHER", "NOMDELAMERE"), ("MOTHER",)),
    "father's name": Label(("NOMDUPERE",), ("FATHERSNAME",)),
    "mother's name": Label(("NOMDELAMERE",), ("MOTHERSNAME",)),
    "S.P./S.M.": Label(neither=("SPSM", "SPISM")),
    "address": Label(("ADRESSE",), ("ADDRESS",)),
    "authority": Label(("AUTORITE",), ("AUTHORITY",)),
    "issue": Label(("DATEDEDELIVRANCE",), ("DATEOFISSUE",)),
    "post": Label(("POSTEDIDENTIFICATION",), ("IDENTIFICATIONPOST",)),
    "expiry": Label(("DATEDEXPIRATION",), ("DATEOFEXPIRY",)),
    "unique identifier": Label(("IDENTIFIANTUNIQUE",), ("UNIQUEIDENTIFIER",)),
    "NIC number": Label(("NUMEROCNI",), ("NICNUMBER",)),
    "LE DGSN": Label(("LEDGSN",), ("THEDGNS", "THEDGSN")),
}


@dataclass(frozen=True, slots=True)
class Labels:
    """Those that were read, and how many of them in each language."""

    names: frozenset[str]
    french: int
    english: int


_AS_LETTERS = str.maketrans("0158|", "OISBI")
_LETTERS_AN_EDIT = 7  # fewer, and DATE OF BIRTH is found in PLACE OF BIRTH


def letters(text: str) -> str:
    """The letters of a text, upper case, accents gone, and digits that OCR takes for letters back to these."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_AS_LETTERS)).upper()
    return "".join(character for character in decomposed if "A" <= character <= "Z")


def joined(texts: Iterable[str]) -> str:
    """All texts as letters, one string to search in; no label matches across two of them."""
    return "\n\n\n".join(letters(text) for text in texts)


def labels_in(text: str) -> Labels:
    """The labels that stand in `text`, which `joined` made."""
    french = {name for name, label in LABELS.items() if stands(label.french, text)}
    english = {name for name, label in LABELS.items() if stands(label.english, text)}
    neither = {name for name, label in LABELS.items() if stands(label.neither, text)}
    return Labels(frozenset(french | english | neither), len(french), len(english))


def stands(forms: Iterable[str], text: str) -> bool:
    """Whether one of the forms is a part of the text, but for one wrong, missing or added letter in every seven."""
    return any(form in text for form in forms) or any(
        resembles(form, text, len(form) // _LETTERS_AN_EDIT) for form in forms
    )


@cache
def _pieces(pattern: str, count: int) -> tuple[str, ...]:
    cuts = [len(pattern) * place // count for place in range(count + 1)]
    return tuple(pattern[begin:end] for begin, end in pairwise(cuts))


def resembles(pattern: str, text: str, edits: int) -> bool:
    """Whether `pattern` stands in `text` but for so many edits.

    Bit-parallel search: Myers 1999, "A fast bit-vector algorithm for approximate string matching".
    """
    if not edits:
        return pattern in text
    # So many edits leave one of so many pieces and one more as it is: most texts are done with here.
    if not any(piece in text for piece in _pieces(pattern, edits + 1)):
        return False
    last = 1 << (len(pattern) - 1)
    places: dict[str, int] = {}
    for index, character in enumerate(pattern):
        places[character] = places.get(character, 0) | 1 << index
    every = (1 << len(pattern)) - 1
    up, down, distance = every, 0, len(pattern)
    for character in text:
        same = places.get(character, 0)
        vertical = same | down
        horizontal = (((same & up) + up) ^ up) | same
        right, left = down | ~(horizontal | up) & every, up & horizontal
        distance += bool(right & last) - bool(left & last)
        if distance <= edits:
            return True
        right, left = right << 1 & every, left << 1 & every
        up, down = left | ~(vertical | right) & every, right & vertical
    return False
