"""TD3, two lines of forty-four characters (ICAO 9303 part 4), each by its positions.

P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<   code, state, names
L898902C36UTO7408122F1204159ZE184226B<<<<<10   number, nationality, birth, sex, expiry, optional data; check digits
"""

import datetime
import re
from dataclasses import dataclass

from ocr_frontend.documents.machine_readable.characters import (
    FILLER,
    check_digit,
    is_fill,
    shaped,
    state_code,
    substituted,
    without_fill,
)
from ocr_frontend.documents.machine_readable.dates import CheckedDate, checked_date
from ocr_frontend.documents.machine_readable.names import Names, read_names
from ocr_frontend.documents.machine_readable.result import Expected, MachineReadable, Sex

LENGTH = 44
_SEXES: dict[str, Sex] = {"M": "M", "F": "F"}


@dataclass(frozen=True, slots=True)
class Upper:
    """The first line: nothing in it has a check digit."""

    code: str
    state: str
    names: Names
    sound: bool


@dataclass(frozen=True, slots=True)
class Lower:
    """The second line. `checks`: which of its five check digits hold."""

    number: str
    nationality: str
    birth: CheckedDate
    sex: Sex | None
    expiry: CheckedDate
    optional: str
    checks: dict[str, bool]
    sound: bool


def read_upper(text: str, expected: Expected) -> Upper | None:
    """None where the text is no such line."""
    if not re.match(r"P[A-Z<]", text):
        return None
    state = state_code(text[2:5], expected.states)
    code = "P" if text[1] in "<KLSE" else text[:2]
    if state is None:
        return None
    return Upper(code, state, read_names(text[5:], LENGTH - 5), substituted(text[2:5], state.ljust(3, FILLER)) <= 1)


def read_lower(text: str, expected: Expected, today: datetime.date) -> Lower | None:
    """None where the text is no such line; nothing in it may be missing."""
    if len(text) != LENGTH or text[20] in "0123456789":
        return None
    shape = expected.document_number
    number = shaped(text[:9], shape) if shape else text[:9]
    check, last = shaped(text[9], "n"), shaped(text[43], "n")
    birth, expiry = checked_date(text[13:20], today, past=True), checked_date(text[21:28], today, past=False)
    nationality = state_code(text[10:13], expected.states)
    if None in (number, check, last) or birth is None or expiry is None or nationality is None:
        return None
    data = ("" if is_fill(text[28:42]) else without_fill(text[28:42])).ljust(14, FILLER)
    own = FILLER if is_fill(text[42]) else shaped(text[42], "n")
    first, middle = f"{number}{check}", birth.text + expiry.text + data + (own or "")
    checks = {
        "document_number": check_digit(str(number)) == check,
        "birth_date": birth.checked,
        "expiry_date": expiry.checked,
        "optional_data": own == check_digit(data) or (own == FILLER and is_fill(data)),
        "composite": check_digit(first + middle) == last,
    }
    sex, optional = _SEXES.get(text[20]), data.rstrip(FILLER)
    taken = f"{first}{nationality:<<3}{birth.text}{sex or FILLER}{expiry.text}{data}{own}{last}"
    misread = substituted(text, taken) + (sex is None and not is_fill(text[20]))
    return Lower(str(number).rstrip(FILLER), nationality, birth, sex, expiry, optional, checks, misread <= 1)


def assemble(upper: Upper, lower: Lower, lines: tuple[int, ...]) -> MachineReadable:
    """The zone; what its check digits do not vouch for is None."""
    return MachineReadable(
        format="TD3",
        document_code=upper.code,
        issuing_state=upper.state,
        document_number=lower.number if lower.checks["document_number"] else None,
        optional_data=lower.optional if lower.checks["optional_data"] else None,
        birth_date=lower.birth.date,
        sex=lower.sex,
        expiry_date=lower.expiry.date,
        nationality=lower.nationality,
        surname=upper.names.surname,
        given_names=upper.names.given_names,
        lines=lines,
        holds=all(lower.checks.values()) and lower.birth.real and lower.expiry.real and upper.sound and lower.sound,
        checked=frozenset(name for name, holds in lower.checks.items() if holds),
        names_truncated=upper.names.truncated,
    )
