"""Reading order of boxes whose scale nobody knows: what stands beside each other is a row, whatever its pixels."""

from collections.abc import Sequence

from adapters.data.lines import Line

_SAME_ROW = 0.5  # of the higher line's height, between two middles


def by_rows(lines: Sequence[Line]) -> list[Line]:
    """Rows from top to bottom, each from left to right. Lines without a place keep theirs at the end."""
    placed = sorted((line for line in lines if line.polygon), key=_middle)
    rows: list[list[Line]] = []
    for line in placed:
        if rows and _middle(line) - _middle(rows[-1][0]) < _SAME_ROW * max(height(line), height(rows[-1][0])):
            rows[-1].append(line)
        else:
            rows.append([line])
    ordered = [line for row in rows for line in sorted(row, key=lambda each: min(x for x, _ in each.polygon))]
    return [*ordered, *(line for line in lines if not line.polygon)]


def height(line: Line) -> float:
    """Of the upright box, in pixels."""
    ys = [y for _, y in line.polygon]
    return max(ys) - min(ys)


def _middle(line: Line) -> float:
    ys = [y for _, y in line.polygon]
    return (max(ys) + min(ys)) / 2
