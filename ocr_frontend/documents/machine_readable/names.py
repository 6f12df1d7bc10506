"""The names of a zone: `SURNAME<<GIVEN<NAMES<<<`. They have no check digit."""

import re
from dataclasses import dataclass

from ocr_frontend.documents.machine_readable.characters import FILLER_LETTERS, as_letters

_END = re.compile(rf"(?:<(?:[{FILLER_LETTERS}]{{1,2}}(?=<|$)|<)*|<?([{FILLER_LETTERS}])\1{{2,}})<*$")
_MISREAD_SEPARATOR = re.compile(r"<K|K<|KK")


@dataclass(frozen=True, slots=True)
class Names:
    """`truncated`: the characters did not suffice, so that the names may go on."""

    surname: str | None = None
    given_names: str | None = None
    truncated: bool = False


def read_names(text: str, length: int) -> Names:
    """`length`: how many characters the zone has for them. Where a full line has no `<<`, nobody knows the surname."""
    letters = as_letters(text)
    end = _END.search(letters)
    plain = letters[: end.start()] if end else letters
    parts = plain.split("<<", 1) if "<<" in plain else _MISREAD_SEPARATOR.split(plain, maxsplit=1)
    if len(parts) == 1 and end is None:
        return Names(truncated=len(letters) >= length)
    surname, given = (re.sub(r"<+", " ", part).strip() or None for part in (*parts, "")[:2])
    return Names(surname, given, end is None and len(letters) >= length)
