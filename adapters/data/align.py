"""Finds, for a drawn card and the lines that a real OCR read on it, which line says each field."""

from collections.abc import Sequence

from rapidfuzz import fuzz

from adapters.data.documents import FieldType, fields_of
from adapters.data.lines import Line, Point, Polygon
from adapters.data.people import Record
from adapters.data.samples import Target, says
from adapters.data.vocabulary import plain

# Below this likeness (percent) a line is somebody else's, or unreadable.
_LIKE = 55.0
# Below this likeness a shorter line is no piece of the value.
_PIECE = 70.0
# The share of a value's area that a line must cover to be a part of it.
COVER = 0.12
_GRID = (15, 3)


def align(record: Record, polygons: dict[str, Polygon], lines: Sequence[Line]) -> dict[str, Target]:
    """The target of every field, from where its value stands in the image and what the lines there say."""
    targets: dict[str, Target] = {}
    for key, kind in fields_of(record.document).items():
        printed, polygon = record.printed.get(key), polygons.get(key)
        shown = printed is not None and polygon is not None
        targets[key] = _find(kind, printed, polygon, lines) if shown and printed and polygon else None
    return targets


def _find(kind: FieldType, printed: str, polygon: Polygon, lines: Sequence[Line]) -> Target:
    """The lines over the value's place first; then any line that says exactly the value, wherever it stands."""
    here = [i for i, line in enumerate(lines) if line.text and coverage(polygon, line.polygon) >= COVER]
    parts = [(i, part) for i in here if (part := part_of(lines[i].text, printed))]
    if kind != "text" and len(parts) > 1:
        parts = [max(parts, key=lambda p: _likeness(p[1], printed))]
    if len(parts) > 1:
        parts.sort(key=lambda p: printed_position(printed, p[1]))
        joined = " ".join(part for _, part in parts)
        best = max(parts, key=lambda p: _likeness(p[1], printed))
        if _likeness(joined, printed) > _likeness(best[1], printed):
            return joined
        parts = [best]
    if parts and _likeness(parts[0][1], printed) >= _LIKE:
        index, part = parts[0]
        return index if says(kind, lines[index].text, part) else part
    same = [i for i, line in enumerate(lines) if _key(line.text) == _key(printed)]
    return same[0] if len(same) == 1 and len(printed) > 3 else None


def part_of(text: str, printed: str) -> str:
    """What a line says of a value: the whole line where it is the value or a piece of it, else its best words."""
    if _likeness(text, printed) >= 80 or len(_key(text)) <= len(_key(printed)) * 1.15:
        return text if fuzz.partial_ratio(_key(text), _key(printed)) >= _PIECE else ""
    words = text.split(" ")
    spans = [" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)]
    best = max([*spans, _inside(text, printed)], key=lambda span: _likeness(span, printed))
    return best if _likeness(best, printed) >= _LIKE else ""


def _inside(text: str, printed: str) -> str:
    """A value glued to its label: the stretch of the line most like it."""
    found = fuzz.partial_ratio_alignment(printed, plain(text) if len(plain(text)) == len(text) else text)
    return text[found.dest_start : found.dest_end].strip() if found and found.score >= 75 else ""


def printed_position(printed: str, part: str) -> int:
    """Where in the printed value a piece of it begins."""
    found = fuzz.partial_ratio_alignment(_key(part), _key(printed))
    return found.dest_start if found else len(printed)


def _likeness(text: str, printed: str) -> float:
    return fuzz.ratio(_key(text), _key(printed))


def _key(text: str) -> str:
    """Text for comparing: no accents, no gaps, look-alike digits and letters the same."""
    bare = "".join(c for c in plain(text.upper()) if not c.isspace())
    return bare.translate(str.maketrans("OQIL|SBZ,", "0011158" + "2."))


def coverage(value: Polygon, line: Polygon) -> float:
    """The share of `value`'s area that lies inside the convex quadrilateral `line`, by sampling a grid."""
    if len(line) < 3 or not _near(value, line):
        return 0.0
    points = _grid(value)
    return sum(_inside_convex(point, line) for point in points) / len(points)


def _near(a: Polygon, b: Polygon) -> bool:
    """Whether the upright boxes around two polygons touch."""
    return all(
        min(p[axis] for p in a) <= max(p[axis] for p in b) and min(p[axis] for p in b) <= max(p[axis] for p in a)
        for axis in (0, 1)
    )


def _grid(quad: Polygon) -> list[Point]:
    """Points spread over a quadrilateral whose corners go round."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    points = []
    for i in range(_GRID[0]):
        for j in range(_GRID[1]):
            u, v = (i + 0.5) / _GRID[0], (j + 0.5) / _GRID[1]
            x = (1 - v) * ((1 - u) * ax + u * bx) + v * ((1 - u) * dx + u * cx)
            y = (1 - v) * ((1 - u) * ay + u * by) + v * ((1 - u) * dy + u * cy)
            points.append((x, y))
    return points


def _inside_convex(point: Point, polygon: Polygon) -> bool:
    """Whether all edges turn the same way around the point."""
    x, y = point
    turns = [
        (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True)
    ]
    return all(t >= 0 for t in turns) or all(t <= 0 for t in turns)
