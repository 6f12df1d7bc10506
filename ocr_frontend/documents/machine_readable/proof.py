"""Whether anything but a check digit says which of the readings that it lets through is the printed one.

A check digit is a sum modulo 10: it finds a digit read as another, and lets through what counts the same, a 4 as O, a D
as N, a 0 as a filler. A shape tells letters from digits; a page that prints the value beside the zone tells all.
"""

import re
from collections.abc import Iterator, Sequence

from ocr_frontend.documents.machine_readable.characters import FILLER, check_digit, shaped
from ocr_frontend.documents.machine_readable.result import Expected, MachineReadable
from ocr_frontend.ocr.textline import TextLine

_ANOTHER_READING = 3  # characters by which two readings of one value differ at most


def is_proven(zone: MachineReadable, expected: Expected, lines: Sequence[TextLine]) -> bool:
    """Whether number and optional data are digits or of their shapes, or printed so on the page, and not otherwise.

    Optional data has no known length: where it ends in a 0, that may be a filler.
    """
    page = [line.text.upper() for index, line in enumerate(lines) if index not in zone.lines]
    number, data = zone.document_number or "", zone.optional_data or ""
    certain = _is_of(number, expected.document_number) or number.isdigit() or _is_printed(number, page)
    if not certain or _contradicted(number, "", page):
        return False
    certain = not data or _is_of(data, expected.optional_data) or (data.isdigit() and data[-1] != "0")
    # The optional data of a TD1 begins one weight later than the number.
    before = FILLER if zone.format == "TD1" else ""
    return (certain or _is_printed(data, page)) and not _contradicted(data, before, page)


def _is_of(value: str, shape: str | None) -> bool:
    return shape is not None and shaped(value, shape) == value


def _is_printed(value: str, page: Sequence[str]) -> bool:
    """Whether a line prints it by itself, in groups or not."""
    apart = r"[ ./-]*".join(value.replace(FILLER, ""))
    return value != "" and any(re.search(rf"(?<![A-Z0-9<]){apart}(?![A-Z0-9<])", text) for text in page)


def _contradicted(value: str, before: str, page: Sequence[str]) -> bool:
    """Whether the page prints it a little otherwise, and that would hold as well.

    Two readings that hold are none: letters that count the same (D, N, X), or two digits misread that make up for
    each other.
    """
    return any(
        0 < _distance(token, value) <= _ANOTHER_READING and check_digit(before + token) == check_digit(before + value)
        for token in _tokens(page)
        if value and len(token) == len(value)
    )


def _tokens(page: Sequence[str]) -> Iterator[str]:
    return (token for text in page for token in re.findall(r"[A-Z0-9]{5,}", text))


def _distance(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))
