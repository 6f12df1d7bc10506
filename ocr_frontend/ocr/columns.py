"""Reading order by columns: on the versos two columns of labels and values stand side by side, and rows mix them.

A contract asks for it with `"order": "columns"`; the shipped adapter was trained on plain order (docs/lab-notes.md).
"""

from collections.abc import Sequence

from ocr_frontend.ocr.orientation import levelled
from ocr_frontend.ocr.textline import TextLine

_GAP = 1.0  # heights of a line, between columns
_FEWEST_ROWS, _FEWEST_LINES = 3, 2  # of a block with columns, of a column
_Place = tuple[float, float, float, float]  # left, right, middle, height


def in_columns(lines: Sequence[TextLine]) -> list[TextLine]:
    """The same lines, row by row, but blocks of rows that a vertical gap divides column by column."""
    places = [_place(line) for line in levelled(lines)]
    return [lines[index] for index in _ordered(_rows(places), places)]


def _ordered(rows: Sequence[Sequence[int]], places: Sequence[_Place]) -> list[int]:
    order: list[int] = []
    begin = 0
    while begin < len(rows):
        end, cut = _block(rows, begin, places)
        block = [index for row in rows[begin:end] for index in row]
        if cut is None:
            order += block
        else:
            order += [index for index in block if places[index][0] < cut]
            order += [index for index in block if places[index][0] >= cut]
        begin = end
    return order


def _block(rows: Sequence[Sequence[int]], begin: int, places: Sequence[_Place]) -> tuple[int, float | None]:
    """The end of the longest block from `begin` on that a gap divides, and where; else the next row alone."""
    for end in range(len(rows), begin + _FEWEST_ROWS - 1, -1):
        cut = _cut([places[index] for row in rows[begin:end] for index in row])
        if cut is not None:
            return end, cut
    return begin + 1, None


def _cut(places: Sequence[_Place]) -> float | None:
    """The left edge of the right column, where nothing stands across the gap."""
    across = sorted(places)
    gap = _GAP * sum(height for *_, height in places) / len(places)
    reached = across[0][1]
    for count, (left, right, _, _) in enumerate(across):
        if left - reached > gap and _FEWEST_LINES <= count <= len(across) - _FEWEST_LINES:
            return left
        reached = max(reached, right)
    return None


def _rows(places: Sequence[_Place]) -> list[list[int]]:
    """Lines whose middles lie within half a height of the row's first, each row from left to right."""
    rows: list[list[int]] = []
    for index in sorted(range(len(places)), key=lambda i: places[i][2]):
        if rows and places[index][2] - places[rows[-1][0]][2] < 0.5 * places[index][3]:
            rows[-1].append(index)
        else:
            rows.append([index])
    return [sorted(row, key=lambda i: places[i][0]) for row in rows]


def _place(line: TextLine) -> _Place:
    xs, ys = [x for x, _ in line.box], [y for _, y in line.box]
    return min(xs), max(xs), sum(ys) / 4, max(1.0, max(ys) - min(ys))
