"""`YYMMDD` with a check digit, and the century that makes sense of it."""

import datetime
import re
from dataclasses import dataclass

from ocr_frontend.documents.machine_readable.characters import check_digit, shaped

_UNKNOWN = re.compile(r"[0-9]{4}<<|[0-9]{2}<<<<|<{6}")
_EXPIRED, _EXPIRES = 40, 30  # years before and after now; documents are given out for ten or fifteen


@dataclass(frozen=True, slots=True)
class CheckedDate:
    """`text`: the seven characters as taken. `date`: None where the check digit fails or the day is not known.

    real: a day of the calendar, or one that the state itself does not know (fillers).
    """

    text: str
    date: datetime.date | None
    checked: bool
    real: bool


def checked_date(text: str, today: datetime.date, *, past: bool) -> CheckedDate | None:
    """`text`: six characters and the check digit. None where it is neither a date nor unknown."""
    unknown = bool(_UNKNOWN.fullmatch(text[:6]))
    digits, check = (text[:6] if unknown else shaped(text[:6], "n" * 6)), shaped(text[6:], "n")
    if digits is None or check is None:
        return None
    checked = check_digit(digits) == check
    date = None if unknown or not checked else (_birth if past else _expiry)(digits, today)
    return CheckedDate(digits + check, date, checked, unknown or date is not None)


def _birth(digits: str, today: datetime.date) -> datetime.date | None:
    """The latest such day that is not in the future."""
    this, last = _day(2000, digits), _day(1900, digits)
    return this if this is not None and this <= today else last


def _expiry(digits: str, today: datetime.date) -> datetime.date | None:
    """The one of the three centuries that is not too far away; None where none is."""
    days = (_day(century, digits) for century in (1900, 2000, 2100))
    near = range(today.year - _EXPIRED, today.year + _EXPIRES + 1)
    return next((day for day in days if day is not None and day.year in near), None)


def _day(century: int, digits: str) -> datetime.date | None:
    try:
        return datetime.date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None
