"""Calendar days."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.types.base import DIGIT, Found, Value, ValueType, as_digits, fold, rough_number
from ocr_frontend.documents.types.text import STRING

_SEPARATOR = r"\s?[.,:;/·\-]?\s?"
# By how their names begin in English and French, without accents.
_MONTHS = (
    ("JAN",), ("FEB", "FEV"), ("MAR",), ("APR", "AVR"), ("MAY", "MAI"), ("JUN", "JUIN"), ("JUL", "JUIL"),
    ("AUG", "AOU"), ("SEP",), ("OCT",), ("NOV",), ("DEC",),
)  # fmt: skip
_SHAPES = {
    "dmy": re.compile(rf"(?=({DIGIT}{{2}}){_SEPARATOR}({DIGIT}{{2}}){_SEPARATOR}({DIGIT}{{4}})(?!\d))"),
    "dmy2": re.compile(rf"(?<!\d)(?=({DIGIT}{{1,2}})[./\-]({DIGIT}{{1,2}})[./\-]({DIGIT}{{2}})(?!\d|[./\-]\d))"),
    "ymd": re.compile(r"(?<!\d)(?=(\d{4})[./\-](\d{2})[./\-](\d{2})(?!\d))"),
    "dMy": re.compile(r"(?<!\d)(?=(\d{1,2})[\s./\-]*([A-ZÀ-Þ]{3,})[\s,.'/\-]*(\d{4}|\d{2})(?!\d))"),
}


@dataclass(frozen=True)
class Date(ValueType):
    """A day of the Gregorian calendar, answered as `format` (strftime) says.

    shapes: how it may be printed: `dmy` 01.02.2003, `dmy2` 1/2/03, `ymd` 2003-02-01, `dMy` 1 FEB 2003.
    as_printed: the value stays as it is printed; its normal form is ISO 8601 all the same.
    """

    name: ClassVar[str] = "date"
    format: str = "%d.%m.%Y"
    shapes: tuple[str, ...] = ("dmy",)
    as_printed: bool = False

    def __post_init__(self) -> None:
        unknown = sorted(str(shape) for shape in self.shapes if shape not in _SHAPES)
        if unknown:
            raise ValueError(f"unknown date shapes {', '.join(unknown)}: known are {', '.join(_SHAPES)}")

    @property
    def hint(self) -> str:
        """How it is written."""
        return "the date as printed" if self.as_printed else f"a date {_words(self.format)}"

    def finds(self, text: str) -> Iterator[Found]:
        """Days that exist, between 1900 and 2099."""
        for day, repaired, printed, at in self._days(text):
            yield Found(printed if self.as_printed else day.strftime(self.format), repaired, at=at)

    def _days(self, text: str) -> list[tuple[datetime.date, bool, str, int]]:
        """From left to right: whether letters were read as digits, how it is printed, and where it begins."""
        found = []
        for shape in self.shapes:
            for match in _SHAPES[shape].finditer(text.upper() if shape == "dMy" else text):
                begin = match.start()
                day, repaired = _day(shape, match.groups())
                if day is not None and not text[:begin][-1:].isdigit():
                    found.append((day, repaired, text[match.start(1) : match.end(3)], begin))
        return sorted(found, key=lambda each: each[-1])

    def of_day(self, day: datetime.date) -> Found | None:
        """As `format` says."""
        return Found(day.strftime(self.format))

    def rough(self, text: str) -> Found | None:
        """A damaged date as read."""
        return rough_number(text)

    def grammar(self) -> str:
        """A JSON string: the card may show a damaged date, which is copied as read."""
        return STRING

    def json_schema(self) -> dict[str, Any]:
        """A string; a damaged date is given as read, with a warning."""
        form = "as printed" if self.as_printed else _words(self.format)
        return {"type": "string", "description": f"{form}; otherwise as read, with a warning"}

    def normal(self, value: Value | None) -> str | None:
        """ISO 8601, of what `finds` takes for a day."""
        if not isinstance(value, str):
            return None
        try:
            written = datetime.datetime.strptime(value, self.format).date()
        except ValueError:
            found = self._days(fold(value))
            return found[0][0].isoformat() if found else None
        day = _existing(written.year, written.month, written.day)
        return None if day is None else day.isoformat()


def _day(shape: str, groups: tuple[str, ...]) -> tuple[datetime.date | None, bool]:
    """The day, and whether letters were read as digits."""
    if shape == "dMy":
        number, name, full = groups
        at = next((n for n, begins in enumerate(_MONTHS, 1) if letters(name).startswith(begins)), None)
        return (None if at is None else _existing(_century(full), at, int(number))), False
    digits = as_digits("".join(groups))
    if digits is None:
        return None, False
    parts = [digits[: len(groups[0])], digits[len(groups[0]) : -len(groups[2])], digits[-len(groups[2]) :]]
    year, month, first = parts if shape == "ymd" else parts[::-1]
    return _existing(_century(year), int(month), int(first)), digits != "".join(groups)


def _century(year: str) -> int:
    return int(year) if len(year) == 4 else 2000 + int(year) if int(year) < 70 else 1900 + int(year)


def _existing(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day) if 1900 <= year < 2100 else None
    except ValueError:
        return None


def _words(form: str) -> str:
    return form.replace("%d", "DD").replace("%m", "MM").replace("%Y", "YYYY")
