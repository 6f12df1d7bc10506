"""The four documents: their fields in answer order, and the form that each typed field has in OCR text."""

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.documents.types import Digits

DocumentName = Literal["cni-2018-recto", "cni-2018-verso", "cni-2025-recto", "cni-2025-verso"]
FieldType = Literal["text", "date", "sex", "height", "digits:6", "digits:9", "digits:17", "nic"]


@dataclass(frozen=True)
class Field:
    """One output field: its JSON key and what its value looks like."""

    key: str
    type: FieldType = "text"


_TYPES: dict[str, FieldType] = {"text": "text", "date": "date", "choice": "sex", "length": "height", "mask": "nic"}


def _type(field: FieldSpec) -> FieldType:
    if isinstance(field.type, Digits):
        return cast(FieldType, f"digits:{field.type.count}")
    return _TYPES[field.type.name]


# From the files that the front reads (ocr_frontend/documents/builtin).
DOCUMENTS: dict[DocumentName, tuple[Field, ...]] = {
    cast(DocumentName, name): tuple(Field(field.key, _type(field)) for field in spec.fields)
    for name, spec in builtin().readable.items()
}
DOCUMENT_NAMES: tuple[DocumentName, ...] = get_args(DocumentName)

DIGITS: dict[FieldType, int] = {
    _type(field): field.type.count
    for spec in builtin().readable.values()
    for field in spec.fields
    if isinstance(field.type, Digits)
}
"""How many digits the numbers of the documents have."""

# A digit as OCR may have read it: O for 0, I or l for 1, S for 5, B for 8. The front takes a few letters more for one
# (ocr_frontend/documents/types); training samples of the shipped adapters and their scores were made with these.
_D = r"[0-9OoQDIlSBZ|]"
_FORMS: dict[FieldType, re.Pattern[str]] = {
    "date": re.compile(rf"(?<!\w){_D}{{2}}[ .,/-]?{_D}{{2}}[ .,/-]?{_D}{{4}}(?!\w)"),
    "sex": re.compile(r"(?<!\w)[MF](?!\w)"),
    "height": re.compile(rf"(?<!\w)[12Il][.,]?{_D}{{2}} ?m?(?!\w)", re.IGNORECASE),
    **{kind: re.compile(rf"(?<!\w){_D}{{{count}}}(?!\w)") for kind, count in DIGITS.items()},
    "nic": re.compile(rf"(?<!\w)[A-Z0-9]{{2}}{_D}{{8}}(?!\w)"),
}


def fields_of(document: DocumentName) -> dict[str, FieldType]:
    """Field key -> type, in answer order."""
    return {field.key: field.type for field in DOCUMENTS[document]}


def forms_in(kind: FieldType, text: str) -> list[str]:
    """The parts of `text` that have the form of a typed field; for `text` the whole of it."""
    pattern = _FORMS.get(kind)
    return [text] if pattern is None else pattern.findall(text)
