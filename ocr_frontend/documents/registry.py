"""The four documents: their fields in order and what form each has."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from ocr_frontend.errors import UnknownDocument


class Kind(Enum):
    """The form of a value; `values` knows how to find each of them in a line."""

    TEXT = "text"
    DATE = "date DD.MM.YYYY"
    SEX = "M or F"
    HEIGHT = "metres"
    DIGITS = "digits"
    NIC = "two letters and eight digits"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. `length` is the number of digits where kind is DIGITS."""

    name: str
    kind: Kind = Kind.TEXT
    length: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A side of a card, and its fields in the order of the answer."""

    name: str
    title: str
    fields: tuple[FieldSpec, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Field names in order."""
        return tuple(field.name for field in self.fields)


def _specs(names: str, identifier: FieldSpec | None = None) -> tuple[FieldSpec, ...]:
    forms = {
        "date_of_birth": FieldSpec("date_of_birth", Kind.DATE),
        "date_of_issue": FieldSpec("date_of_issue", Kind.DATE),
        "date_of_expiration": FieldSpec("date_of_expiration", Kind.DATE),
        "sex": FieldSpec("sex", Kind.SEX),
        "taille": FieldSpec("taille", Kind.HEIGHT),
        "sp_sm": FieldSpec("sp_sm", Kind.DIGITS, 6),
        "numero_de_carte": FieldSpec("numero_de_carte", Kind.DIGITS, 9),
        "identifiant_unique": identifier or FieldSpec("identifiant_unique", Kind.DIGITS, 17),
    }
    return tuple(forms.get(name, FieldSpec(name)) for name in names.split())


_DOCUMENTS = (
    Document(
        "cni-2018-recto",
        "Carte nationale d'identité 2018, recto",
        _specs("nom_surname prenom_given_name date_of_birth lieu_of_birth sex taille profession"),
    ),
    Document(
        "cni-2018-verso",
        "Carte nationale d'identité 2018, verso",
        _specs(
            "pere_father mere_mother sp_sm date_of_issue date_of_expiration identifiant_unique numero_de_carte "
            "authorité"
        ),
    ),
    Document(
        "cni-2025-recto",
        "Carte nationale d'identité 2025, recto",
        _specs("numero_de_carte nom_surname prenom_given_name date_of_birth sex date_of_expiration"),
    ),
    Document(
        "cni-2025-verso",
        "Carte nationale d'identité 2025, verso",
        _specs(
            "pere_father mere_mother lieu_of_birth date_of_issue taille profession identifiant_unique authorité",
            identifier=FieldSpec("identifiant_unique", Kind.NIC),
        ),
    ),
)

AUTO = "auto"
DOCUMENTS: dict[str, Document] = {document.name: document for document in _DOCUMENTS}


def find_document(name: str) -> Document | None:
    """By name; None for `auto`, which the picture decides. Raises UnknownDocument."""
    if name == AUTO:
        return None
    try:
        return DOCUMENTS[name]
    except KeyError:
        raise UnknownDocument(f"Unknown document; known are {', '.join((AUTO, *DOCUMENTS))}.") from None


_TYPES: dict[Kind, tuple[Any, str]] = {
    Kind.TEXT: (str | None, "as printed"),
    Kind.DATE: (str | None, "DD.MM.YYYY; otherwise as read, with a warning"),
    Kind.SEX: (Literal["M", "F"] | None, "M or F"),
    Kind.HEIGHT: (float | None, "metres"),
    Kind.DIGITS: (str | None, "digits; otherwise as read, with a warning"),
    Kind.NIC: (str | None, "two letters and eight digits; otherwise as read, with a warning"),
}


@cache
def record_model(name: str) -> type[BaseModel]:
    """The pydantic model of a document's `data`: every field present, `null` where the card does not show it."""
    fields: dict[str, Any] = {}
    for spec in DOCUMENTS[name].fields:
        kind, description = _TYPES[spec.kind]
        text = f"{spec.length} {description}" if spec.length else description
        fields[spec.name] = (kind, Field(description=text))
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True, strict=True), **fields)
