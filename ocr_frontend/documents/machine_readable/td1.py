"""TD1, three lines of thirty characters (ICAO 9303 part 5), each by its positions.

I<CMR9888897944DH37800202<<<<<   code, state, number, check digit, optional data
4505149M3504177CMR<<<<<<<<<<<6   birth, check, sex, expiry, check, nationality, optional data, composite
NGO<MBARGA<<ELISE<<<<<<<<<<<<<   names
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
from ocr_frontend.documents.machine_readable.names import Names
from ocr_frontend.documents.machine_readable.result import Expected, MachineReadable, Sex

LENGTH = 30
_FEWEST_FILLERS = 10  # that say there is no optional data, rather than that it was cut off
_SEXES: dict[str, Sex] = {"M": "M", "F": "F"}


@dataclass(frozen=True, slots=True)
class Upper:
    """The first line. `text`: as taken, thirty characters; None where its optional data is not certain."""

    code: str
    state: str
    number: str
    checked: bool
    optional: str
    text: str | None
    sound: bool


@dataclass(frozen=True, slots=True)
class Lower:
    """The second line. `text`: as taken, thirty characters; None where it is not certain."""

    birth: CheckedDate
    sex: Sex | None
    expiry: CheckedDate
    nationality: str
    text: str | None
    sound: bool


def read_upper(text: str, expected: Expected) -> Upper | None:
    """None where the text is no such line."""
    if len(text) < 15:
        return None
    code, state = document_code(text[:2]), state_code(text[2:5], expected.states)
    number = shaped(text[5:14], expected.document_number) if expected.document_number else text[5:14]
    if code is None or state is None or number is None or not re.search(r"[0-9]", text[5:15]):
        return None
    last, rest, whole = text[14:15], text[15:], len(text) == LENGTH
    optional = _optional(rest, expected.optional_data, whole=whole)
    taken = None if optional is None else optional.ljust(15, FILLER)
    is_long = last == FILLER and not expected.document_number  # it goes on in the optional data
    if is_long:
        number, last, optional = _long_number(number, rest)
    check = shaped(last, "n")
    if check is None:
        return None
    head = code.ljust(2, FILLER) + state.ljust(3, FILLER) + number[:9] + (FILLER if is_long else check)
    sound = substituted(text, head + (taken or "")) + (is_long and last != check) <= 1
    checked = check_digit(number) == check
    return Upper(code, state, number.rstrip(FILLER), checked, optional or "", taken and head + taken, sound)


def read_lower(text: str, expected: Expected, today: datetime.date) -> Lower | None:
    """None where the text is no such line."""
    if len(text) < 18 or text[7] in "0123456789":
        return None
    birth, expiry = checked_date(text[:7], today, past=True), checked_date(text[8:15], today, past=False)
    nationality = state_code(text[15:18], expected.states)
    if birth is None or expiry is None or nationality is None:
        return None
    sex = _SEXES.get(text[7])
    head = birth.text + (sex or FILLER) + expiry.text + nationality.ljust(3, FILLER)
    fill, whole = text[18:-1], len(text) == LENGTH
    if whole and not is_fill(fill) and expected.optional_data is None:
        middle: str | None = fill
    else:
        middle = FILLER * 11 if is_fill(fill) and len(fill) >= 7 else None
    last = shaped(text[-1:], "n") if whole else text[-1:]
    taken = None if middle is None or last is None or not last.isdigit() else head + middle + last
    misread = substituted(text, head) + (sex is None and not is_fill(text[7])) + (whole and last != text[-1:])
    is_dirt = not is_fill(fill) and fill[0] == FILLER  # behind fillers no data begin
    return Lower(birth, sex, expiry, nationality, taken, misread <= 1 and not is_dirt)


def assemble(upper: Upper, lower: Lower, names: Names, lines: tuple[int, ...]) -> MachineReadable:
    """The zone; what its check digits do not vouch for is None."""
    checked = {"document_number": upper.checked, "birth_date": lower.birth.checked, "expiry_date": lower.expiry.checked}
    checked["composite"] = _composite_holds(upper.text, lower.text)
    real = lower.birth.real and lower.expiry.real
    return MachineReadable(
        format="TD1",
        document_code=upper.code,
        issuing_state=upper.state,
        document_number=upper.number if upper.checked else None,
        optional_data=upper.optional if checked["composite"] else None,
        birth_date=lower.birth.date,
        sex=lower.sex,
        expiry_date=lower.expiry.date,
        nationality=lower.nationality,
        surname=names.surname,
        given_names=names.given_names,
        lines=lines,
        holds=all(checked.values()) and real and upper.sound and lower.sound,
        checked=frozenset(name for name, holds in checked.items() if holds),
        names_truncated=names.truncated,
    )


def document_code(text: str) -> str | None:
    """`I`, `ID`, `A`, `C`, `P` …: the second character may be any letter; one that OCR reads for a filler is none."""
    first = shaped(text[:1].replace("L", "I"), "a")
    if len(text) < 2 or first is None or first not in "IAC":
        return None
    second = "" if text[1] in "<KLSE" or text == "IC" else text[1]
    return first + second if not second or second.isalpha() else None


def _optional(text: str, shape: str | None, *, whole: bool) -> str | None:
    """The optional data without its fillers; None where a character of it may be missing or too many."""
    if is_fill(text):
        return "" if whole or len(text) >= _FEWEST_FILLERS else None
    if shape is not None:
        return shaped(text[: len(shape)], shape) if is_fill(text[len(shape) :]) else None
    return without_fill(text) if whole else None


def _long_number(number: str, rest: str) -> tuple[str, str, str]:
    """ICAO 9303 part 5, note j: the rest of the number and its check digit begin the optional data."""
    more, _, optional = rest.partition(FILLER)
    return number + more[:-1], more[-1:], optional.strip(FILLER)


def _composite_holds(upper: str | None, lower: str | None) -> bool:
    if upper is None or lower is None:
        return False
    return check_digit(upper[5:] + lower[:7] + lower[8:15] + lower[18:29]) == lower[29]
