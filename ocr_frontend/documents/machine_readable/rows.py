"""The rows of text in which a zone's lines may stand: OCR gives a line whole, in pieces, or two glued together."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocr_frontend.documents.machine_readable.characters import FILLER, normalised
from ocr_frontend.ocr.textline import TextLine

SLACK = 6  # characters by which OCR makes a line too long or too short
_PIECES = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate. `lines`: the OCR lines it comes from. `part`: which of the lines glued together it is."""

    text: str
    lines: tuple[int, ...]
    part: int = 0

    def before(self, other: "Row") -> bool:
        """Whether this one ends where the other has not begun."""
        return (self.lines[-1], self.part) < (other.lines[0], other.part)


def rows(lines: Sequence[TextLine], length: int) -> Iterator[Row]:
    """Every row of about `length` characters, by where it begins; glued lines are cut by position alone."""
    texts = [normalised(line.text) for line in lines]
    for begin, text in enumerate(texts):
        for part in range(math.ceil(len(text) / length) if len(text) > length + SLACK else 0):
            yield Row(text[part * length : (part + 1) * length], (begin,), part)
        together = ""
        for end in range(begin, min(begin + _PIECES, len(lines))):
            if not texts[end] or (end > begin and not _side_by_side(lines[end - 1], lines[end])):
                break
            together += texts[end]
            if abs(len(together) - length) <= SLACK:
                yield Row(together, tuple(range(begin, end + 1)))


def next_row(lines: Sequence[TextLine], found: Sequence[Row], row: Row, length: int) -> Row | None:
    """What stands after a row, of any length up to the zone's: fillers at a line's end get lost. `found`: the rows."""
    glued = [other for other in found if other.lines == row.lines and other.part == row.part + 1]
    if glued:
        return glued[0]
    begin = end = row.lines[-1] + 1
    together = ""
    while end < min(begin + _PIECES, len(lines)) and (end == begin or _side_by_side(lines[end - 1], lines[end])):
        text = normalised(lines[end].text)
        if len(together + text) > length + SLACK:
            break
        together, end = together + text, end + 1
    is_line = FILLER in together or abs(len(together) - length) <= SLACK
    return Row(together, tuple(range(begin, end))) if is_line else None


def _side_by_side(left: TextLine, right: TextLine) -> bool:
    """Whether the right one goes on in the row of the left one, however the picture is tilted."""
    top_left, top_right, low_right, low_left = left.box
    along = top_right[0] - top_left[0], top_right[1] - top_left[1]
    width, height = math.hypot(*along), math.dist(top_left, low_left)
    ends = (top_right[0] + low_right[0]) / 2, (top_right[1] + low_right[1]) / 2
    begins = (right.box[0][0] + right.box[3][0]) / 2, (right.box[0][1] + right.box[3][1]) / 2
    away = along[0] * (begins[1] - ends[1]) - along[1] * (begins[0] - ends[0])
    return width > 0 and abs(away) / width < height / 2
