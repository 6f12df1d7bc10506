"""Lines that say how to reach or register somebody: on no document are they part of a name or an address."""

import re
import unicodedata

from ocr_frontend.documents.types import fold

_WORDS = (
    r"TEL|TELEPHONE|TELEFON|PHONE|MOBILE|CELL|FAX|HP|H/P|WHATS\s?APPS?|HOTLINE|E-?MAIL|COURRIEL|WEBSITE|WEB|SITE"
    r"|GST|SST|TVA|VAT|TAX|NIF|NIU|SIRET|SIREN|RCCM|RC|ROC|REG|REGN|REGISTRATION|CO|COMPANY|BRN"
)
_MORE = rf"(?:{_WORDS}|ID|NO|N°|NUMBER|NUMERO|NUM|CODE)"
# One such word, others after it, then a number, and no name of a street between them.
_NUMBERED = re.compile(rf"^\W*(?:{_WORDS})\b(?:\W*{_MORE}\b)*\W*(?:\d[\d\W]*){{5,}}\w*\W*$", re.IGNORECASE)
_ADDRESSED = re.compile(r"\bWWW\.|\w@\w|\bHTTPS?:", re.IGNORECASE)


def is_contact(text: str) -> bool:
    """Whether the line is a telephone or registration number with its word before it, or a mail or web address."""
    plain = "".join(each for each in unicodedata.normalize("NFD", fold(text)) if not unicodedata.combining(each))
    return bool(_NUMBERED.match(plain) or _ADDRESSED.search(plain))
