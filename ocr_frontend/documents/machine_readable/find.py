"""The zone among the OCR lines of a page."""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ocr_frontend.documents.machine_readable import td1, td3
from ocr_frontend.documents.machine_readable.characters import counted
from ocr_frontend.documents.machine_readable.names import Names, read_names
from ocr_frontend.documents.machine_readable.result import ANYTHING, Expected, MachineReadable
from ocr_frontend.documents.machine_readable.rows import Row, next_row, rows
from ocr_frontend.ocr.textline import TextLine


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
    return replace(best, holds=False) if others or _contradicted(best, lines) else best


def _told(zone: MachineReadable) -> tuple[object, ...]:
    return zone.document_number, zone.optional_data, zone.birth_date, zone.expiry_date


def _td1_zones(lines: Sequence[TextLine], expected: Expected, today: datetime.date) -> Iterator[MachineReadable]:
    found = sorted(rows(lines, td1.LENGTH), key=lambda row: abs(len(row.text) - td1.LENGTH))
    lowers = [(row, lower) for row in found if (lower := td1.read_lower(row.text, expected, today))]
    for row in found if lowers else ():
        upper = td1.read_upper(row.text, expected)
        for second, lower in lowers if upper else ():
            if upper and row.before(second):
                names, of_names = _names(lines, found, second)
                used = sorted({*row.lines, *second.lines, *of_names})
                yield td1.assemble(upper, lower, names, tuple(used))


def _names(lines: Sequence[TextLine], found: Sequence[Row], second: Row) -> tuple[Names, tuple[int, ...]]:
    """The names in the row after the second line, and its OCR lines."""
    row = next_row(lines, found, second, td1.LENGTH)
    names = read_names(row.text, td1.LENGTH) if row else Names()
    return names, row.lines if row and names.surname else ()


def _td3_zones(lines: Sequence[TextLine], expected: Expected, today: datetime.date) -> Iterator[MachineReadable]:
    found = sorted(rows(lines, td3.LENGTH), key=lambda row: abs(len(row.text) - td3.LENGTH))
    lowers = [(row, lower) for row in found if (lower := td3.read_lower(row.text, expected, today))]
    for row in found if lowers else ():
        upper = td3.read_upper(row.text, expected)
        for second, lower in lowers if upper else ():
            if upper and row.before(second):
                yield td3.assemble(upper, lower, tuple(sorted({*row.lines, *second.lines})))


def _contradicted(zone: MachineReadable, lines: Sequence[TextLine]) -> bool:
    """Whether the page also prints the optional data with other letters that count the same (D, N, X)."""
    data = zone.optional_data or ""
    if not (zone.holds and data and re.search("[A-Z]", data)):
        return False
    outside = (line.text for index, line in enumerate(lines) if index not in zone.lines)
    tokens = (token for text in outside for token in re.findall(r"[A-Z0-9]+", text.upper()) if len(token) == len(data))
    same = [token for token in tokens if [*map(counted, token)] == [*map(counted, data)]]
    return bool(same) and data not in same
