"""Documents that share labels with the cards and are none: passports, licences, other countries' cards."""

import re
from collections.abc import Sequence

from ocr_frontend.documents.labels import joined, letters, resembles

_KINDS: dict[str, tuple[str, ...]] = {
    "a passport": ("PASSEPORT", "PASSPORT"),
    "a driving licence": ("PERMISDECONDUIRE", "DRIVINGLICENCE", "DRIVERLICENSE", "DRIVERSLICENSE"),
    "a residence permit": ("CARTEDESEJOUR", "RESIDENCEPERMIT", "TITREDESEJOUR"),
    "a voter's card": ("CARTEDELECTEUR", "VOTERSCARD", "ELECTIONSCAMEROON"),
    "a civil status certificate": ("EXTRAITDACTE", "COPIEDACTE", "OFFICIERDETATCIVIL", "BIRTHCERTIFICATE"),
    "a vehicle document": ("CARTEGRISE", "CERTIFICATDIMMATRICULATION"),
    "an identity document of another kind": (
        "NATIONALITE", "NATIONALITY", "CARTECONSULAIRE", "CARTEPROFESSIONNELLE", "CARTEDETUDIANT", "STUDENTCARD",
        "CARTEDIDENTITECEDEAO", "ECOWASIDENTITYCARD", "RECEPISSE", "NUMERODUDOCUMENT", "DOCUMENTNO",
    ),
}  # fmt: skip
_STATE = re.compile(r"REPUBLI(?:QUE|C)(?:DU|DE|OF|DELA)?([A-Z]{4,})")
_PASSPORT_ZONE = re.compile(r"P<[A-Z]{3}[A-Z<]{10,}")
_CARD_ZONE = re.compile(r"[IAC][A-Z<]([A-Z]{3})[A-Z0-9<]{20,}")
_EDITS_OF_STATE = 4  # of CAMEROUN's eight letters
_MISREAD_CMR = re.compile(r"[CGO0][MNH][RPBK]")


def foreign_kind(texts: Sequence[str]) -> str | None:
    """What other document this is, in words for the client, or None."""
    zones = [re.sub(r"\s", "", text.upper()) for text in texts]
    if any(_PASSPORT_ZONE.match(zone) for zone in zones):
        return "a passport"
    if any(_other_country(zone) for zone in zones):
        return "another country's card"
    together = joined(texts)
    for kind, marks in _KINDS.items():
        if any(mark in together for mark in marks):
            return kind
    return "another country's document" if _other_state([letters(text) for text in texts]) else None


def _other_country(zone: str) -> bool:
    """A zone of the cards' own form with another country's code. Its digits tell it from a line of names."""
    match = _CARD_ZONE.match(zone)
    return (
        match is not None
        and "<" in zone
        and sum(character.isdigit() for character in zone) >= 6
        and not _MISREAD_CMR.fullmatch(match.group(1))
        and "CMR" not in zone[:8]
    )


def _other_state(texts: Sequence[str]) -> bool:
    """`REPUBLIQUE DU …` with another name, and nowhere the right one, however damaged."""
    states = [match.group(1) for text in texts if (match := _STATE.search(text))]
    return bool(states) and not any(
        resembles(name, state, _EDITS_OF_STATE) for state in states for name in ("CAMEROUN", "CAMEROON")
    )
