"""Whether the picture looks like the document that the sender named: by the labels printed on it, no model asked."""

import unicodedata
from collections.abc import Iterable

from ocr_frontend.documents import DOCUMENTS, Document


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Letters only, upper case, without accents; the two languages apart, as OCR splits bilingual labels.
LABELS = {
    "cni-2018-recto": _words("""
        SURNAME PRENOMS GIVENNAMES DATEDENAISSANCE DATEOFBIRTH LIEUDENAISSANCE PLACEOFBIRTH SEXE TAILLE HEIGHT
        PROFESSION OCCUPATION SIGNATURE CARTENATIONALE REPUBLIQUE"""),
    "cni-2018-verso": _words("""
        PERE FATHER MERE MOTHER ADRESSE ADDRESS AUTORITE AUTHORITY DATEDEDELIVRANCE DATEOFISSUE POSTEDIDENTIFICATION
        IDENTIFICATIONPOST DATEDEXPIRATION DATEOFEXPIRY IDENTIFIANTUNIQUE UNIQUEIDENTIFIER"""),
    "cni-2025-recto": _words("""
        SURNAME PRENOMS GIVENNAMES DATEDENAISSANCE DATEOFBIRTH SEXE DATEDEXPIRATION DATEOFEXPIRY SIGNATURE
        HOLDERSSIGNATURE TRAVAIL PATRIE"""),
    "cni-2025-verso": _words("""
        NOMDUPERE FATHERSNAME NOMDELAMERE MOTHERSNAME LIEUDENAISSANCE PLACEOFBIRTH PROFESSION OCCUPATION
        DATEDEDELIVRANCE DATEOFISSUE NUMEROCNI NICNUMBER TAILLE HEIGHT LEDGSN THEDGNS"""),
}
_AT_LEAST = 2  # labels; one alone may be part of a name or a place


def letters(texts: Iterable[str]) -> list[str]:
    """Each text as its letters only, upper case, accents gone: OCR loses spaces, slashes and accents of labels."""
    decomposed = (unicodedata.normalize("NFKD", text).upper() for text in texts)
    return ["".join(character for character in text if "A" <= character <= "Z") for text in decomposed]


def other_document(chosen: Document, texts: Iterable[str]) -> Document | None:
    """The document whose own labels outnumber the chosen one's, or None.

    Two documents are compared by the labels that only one of them has.
    """
    found = letters(texts)
    present = {label for labels in LABELS.values() for label in labels if _stands(label, found)}
    mine = LABELS[chosen.name]
    best: tuple[int, Document | None] = (0, None)
    for other in DOCUMENTS.values():
        theirs = len(present & (LABELS[other.name] - mine))
        ours = len(present & (mine - LABELS[other.name]))
        if theirs >= _AT_LEAST and theirs > ours and theirs - ours > best[0]:
            best = (theirs - ours, other)
    return best[1]


def _stands(label: str, found: list[str]) -> bool:
    return any(label in text for text in found)
