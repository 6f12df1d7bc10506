"""Which way up a picture is, and reading it that way: sideways and upside-down photos are turned and read again.

An upright picture costs nothing: what its own reading says is enough. Boxes are always those of the picture as sent.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.textline import Box, TextLine

_LONG = 1.5  # a box that is so much longer than high says in which direction its text runs
_READ_WELL = 0.85  # mean score, by characters, of an upright picture's lines
FEW_LABELS = 3  # of a document, by which it is known
_LEVEL = math.radians(1.5)  # of slope, below which the reader's own order is kept
_ROW = 10  # pixels between the tops of lines that the reader takes for one row


CountLabels = Callable[[Sequence[TextLine]], int]
Read = Callable[[Pixels], list[TextLine]]


def no_labels(_: Sequence[TextLine]) -> int:
    """Where no document is known."""
    return 0


def read_upright(
    read: Read, image: Pixels, count_labels: CountLabels = no_labels, first: list[TextLine] | None = None
) -> list[TextLine]:
    """The picture's lines in reading order, whichever way it was sent. first: what it says as it is, where known."""
    lines = read(image) if first is None else first
    best, turns = lines, 0
    for candidate in _candidates(lines, count_labels):
        found = read(np.ascontiguousarray(np.rot90(image, candidate)))
        better = readability(found, count_labels) > readability(best, count_labels)
        if better or (not turns and _sideways(lines) and readability(found, count_labels) > 0):
            best, turns = found, candidate
        if reads_well(found, count_labels):
            break
    ordered = in_reading_order(best)
    return [replace(line, box=_back(line.box, turns, image)) for line in ordered] if turns else ordered


def readability(lines: Sequence[TextLine], count_labels: CountLabels = no_labels) -> float:
    """Mean score by characters, and the labels that were read."""
    return _mean_score(lines) + 0.1 * min(count_labels(lines), 10)


def reads_well(lines: Sequence[TextLine], count_labels: CountLabels = no_labels) -> bool:
    """Whether lines are those of an upright picture: sure of themselves, or with the labels of a known document."""
    return not _sideways(lines) and (_mean_score(lines) >= _READ_WELL or count_labels(lines) >= FEW_LABELS)


def slope(lines: Iterable[TextLine]) -> float:
    """The angle at which the lines run, in radians, clockwise on the picture; longer lines count more."""
    along = [(b[1][0] - b[0][0] + b[2][0] - b[3][0], b[1][1] - b[0][1] + b[2][1] - b[3][1]) for b in _boxes(lines)]
    vectors = [(x, y) for x, y in along if x or y]
    if not vectors:
        return 0.0
    angle = math.atan2(sum(y for _, y in vectors), sum(x for x, _ in vectors))
    # The median is not moved by a box that was found askew.
    apart = sorted((_between(math.atan2(y, x), angle), math.hypot(x, y)) for x, y in vectors)
    half, passed = sum(weight for _, weight in apart) / 2, 0.0
    for difference, weight in apart:
        passed += weight
        if passed >= half:
            return angle + difference
    return angle


def levelled(lines: Sequence[TextLine]) -> list[TextLine]:
    """The same lines with boxes turned about the origin, so that they run from left to right."""
    angle = slope(lines)
    if abs(angle) < _LEVEL:
        return list(lines)
    cosine, sine = math.cos(angle), math.sin(angle)

    def turned(point: tuple[int, int]) -> tuple[int, int]:
        return round(point[0] * cosine + point[1] * sine), round(point[1] * cosine - point[0] * sine)

    return [replace(line, box=_quad(turned(point) for point in line.box)) for line in lines]


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """By rows, each from left to right, as the reader does it, but along the text's own slope."""
    if abs(slope(lines)) < _LEVEL:
        return list(lines)
    level = levelled(lines)
    order = sorted(range(len(lines)), key=lambda i: (level[i].box[0][1], level[i].box[0][0]))
    for end in range(len(order) - 1):
        for at in range(end, -1, -1):
            (x, y), (a, b) = level[order[at]].box[0], level[order[at + 1]].box[0]
            if abs(b - y) >= _ROW or a >= x:
                break
            order[at], order[at + 1] = order[at + 1], order[at]
    return [lines[i] for i in order]


def _candidates(lines: Sequence[TextLine], count_labels: CountLabels) -> tuple[int, ...]:
    """Quarter turns against the clock that are worth a try; none for an upright picture."""
    if not lines or reads_well(lines, count_labels):
        return ()
    if not _sideways(lines):
        return (2,)
    # The reader turns tall crops against the clock: where that made them readable, it is the right way.
    return (1, 3) if _mean_score(lines) >= _READ_WELL else (3, 1)


def _sideways(lines: Sequence[TextLine]) -> bool:
    """Whether most of the text, by length, runs up or down: boxes of tilted text may begin at any corner."""
    tall = wide = 0.0
    for a, b, _, d in _boxes(lines):
        short, long = sorted(
            ((b[0] - a[0], b[1] - a[1]), (d[0] - a[0], d[1] - a[1])), key=lambda side: math.hypot(*side)
        )
        length = math.hypot(*long)
        if length <= _LONG * math.hypot(*short):
            continue
        upwards = abs(long[1]) > abs(long[0])
        tall, wide = tall + upwards * length, wide + (not upwards) * length
    return tall > wide


def _mean_score(lines: Sequence[TextLine]) -> float:
    characters = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / characters if characters else 0.0


def _boxes(lines: Iterable[TextLine]) -> list[Box]:
    return [line.box for line in lines if line.text.strip()]


def _between(angle: float, other: float) -> float:
    return (angle - other + math.pi) % (2 * math.pi) - math.pi


def _back(box: Box, turns: int, image: Pixels) -> Box:
    """From the turned picture to the one that was sent."""
    height, width = image.shape[:2]
    places = {
        1: lambda x, y: (width - 1 - y, x),
        2: lambda x, y: (width - 1 - x, height - 1 - y),
        3: lambda x, y: (y, height - 1 - x),
    }
    return _quad(places[turns](x, y) for x, y in box)


def _quad(points: Iterable[tuple[int, int]]) -> Box:
    a, b, c, d = points
    return a, b, c, d
