"""The zone among the OCR lines of a page."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from ocr_frontend.documents.machine_readable import td1, td3
from ocr_frontend.documents.machine_readable.names import Names, read_names
from ocr_frontend.documents.machine_readable.proof import is_proven
from ocr_frontend.documents.machine_readable.result import ANYTHING, Expected, MachineReadable
from ocr_frontend.documents.machine_readable.rows import Row, next_row, rows
from ocr_frontend.ocr.textline import TextLine

Upper = TypeVar("Upper")
Lower = TypeVar("Lower")


def find_machine_readable(
    lines: Sequence[TextLine], expected: Expected = ANYTHING, today: datetime.date | None = None
) -> MachineReadable | None:
    """The zone that holds, else the first that looks like one; None where there is none.

    lines: the OCR's, in reading order. Two zones that hold and differ do not hold: nobody knows whose page it is.
    """
    day = today or datetime.date.today()
    readers = {"TD1": _td1_zones, "TD3": _td3_zones}
    found = [zone for name in expected.formats for zone in readers[name](lines, expected, day)]
    holding = [zone for zone in found if zone.holds]
    if not found:
        return None
    best = (holding or found)[0]
    others = any(_told(zone) != _told(best) for zone in holding)
    return replace(best, holds=best.holds and not others and is_proven(best, expected, lines))


def _told(zone: MachineReadable) -> tuple[object, ...]:
    return zone.document_number, zone.optional_data, zone.birth_date, zone.expiry_date


def _td1_zones(lines: Sequence[TextLine], expected: Expected, today: datetime.date) -> Iterator[MachineReadable]:
    found = _likely_rows(lines, td1.LENGTH)
    for row, upper, second, lower in _pairs(found, td1.read_upper, td1.read_lower, expected, today):
        names, of_names = _names(lines, found, second)
        yield td1.assemble(upper, lower, names, tuple(sorted({*row.lines, *second.lines, *of_names})))


def _td3_zones(lines: Sequence[TextLine], expected: Expected, today: datetime.date) -> Iterator[MachineReadable]:
    found = _likely_rows(lines, td3.LENGTH)
    for row, upper, second, lower in _pairs(found, td3.read_upper, td3.read_lower, expected, today):
        yield td3.assemble(upper, lower, tuple(sorted({*row.lines, *second.lines})))


def _likely_rows(lines: Sequence[TextLine], length: int) -> list[Row]:
    """Those nearest to the zone's length first."""
    return sorted(rows(lines, length), key=lambda row: abs(len(row.text) - length))


def _pairs(
    found: Sequence[Row],
    read_upper: Callable[[str, Expected], Upper | None],
    read_lower: Callable[[str, Expected, datetime.date], Lower | None],
    expected: Expected,
    today: datetime.date,
) -> Iterator[tuple[Row, Upper, Row, Lower]]:
    """Every first line with every second line after it, and the rows that they are."""
    lowers = [(row, lower) for row in found if (lower := read_lower(row.text, expected, today))]
    for row in found if lowers else ():
        upper = read_upper(row.text, expected)
        for second, lower in lowers if upper else ():
            if upper and row.before(second):
                yield row, upper, second, lower


def _names(lines: Sequence[TextLine], found: Sequence[Row], second: Row) -> tuple[Names, tuple[int, ...]]:
    """The names in the row after the second line, and its OCR lines."""
    row = next_row(lines, found, second, td1.LENGTH)
    names = read_names(row.text, td1.LENGTH) if row else Names()
    return names, row.lines if row and names.surname else ()
