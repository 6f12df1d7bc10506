"""A second look where text is small: detection works on a reduced picture, and a card on a page vanishes there.

The parts that hold small text are cut out with a margin and read again with all of their pixels. Where the first look
found hardly anything on a large picture, its tiles are looked at for text first. Boxes are those of the picture given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from ocr_frontend.ocr.beneath import with_beneath
from ocr_frontend.ocr.boxes import area, moved
from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.images import Pixels, Rectangle
from ocr_frontend.ocr.look import Seen, flipped_back, look
from ocr_frontend.ocr.orientation import CountLabels, Read, reads_well
from ocr_frontend.ocr.overprint import without_overprint
from ocr_frontend.ocr.regions import Block, blocks, regions, tiles
from ocr_frontend.ocr.textline import TextLine
from ocr_frontend.ocr.unanswered import FindUnanswered, none_unanswered, with_answers

_SMALL = 12.0  # pixels of height where the detection sees them; on drawn cards nothing is missed from there on
_MOSTLY = 0.85  # of the longest side: a picture that is hardly reduced shows no more at a second look
_MANY, _FEW = 10, 4  # lines: so many say where the text is; fewer than `_FEW` say nothing even where they read well
_TILE, _PART = 2.2, 0.6  # a tile's side: so many times the detection's, and not more than this part of the picture's
_AS_GOOD = 0.9  # of the first look's letters, weighed by their scores
_EDGE = 2  # pixels
_NOISE = 0.6  # score of a line outside of the regions, below which it is a texture

Cut = Callable[[Rectangle], Pixels]


@dataclass(frozen=True, slots=True)
class Looker:
    """read: of one reader; side: in pixels, that its detection reduces a picture's longest side to; find_unanswered:
    fields whose value was not read."""

    read: Read
    count_labels: CountLabels
    side: int
    find_unanswered: FindUnanswered = none_unanswered

    def look(self, image: Pixels, cut: Cut) -> Seen:
        """Everything that can be read. cut: a part of the image with all the pixels that there are; its lines' boxes
        are scaled to the image. Raises what the reader raises, and Stopped."""
        seen = self._seen(image, cut)
        if seen.mirrored or not self.find_unanswered(seen.lines):
            return seen
        lines = with_beneath(self.read, image, seen.lines)
        return Seen(with_answers(self.read, image, lines, self.find_unanswered))

    def _seen(self, image: Pixels, cut: Cut) -> Seen:
        first = self.read(image)
        parts = self._parts(first, image)
        if not parts:
            return self._overprinted(look(self.read, image, self.count_labels, first), image)
        seen = [self._closer(part, cut) for part in parts]
        if not any(each.mirrored for each in seen):
            return Seen(_together(first, parts, seen, (image.shape[1], image.shape[0])))
        lines = [line for each in seen if each.mirrored for line in each.lines]
        return Seen(flipped_back(lines, image.shape[1]), mirrored=True)

    def _overprinted(self, seen: Seen, pixels: Pixels) -> Seen:
        """A mirrored picture is left as it is: its boxes are not those of these pixels."""
        return seen if seen.mirrored else Seen(without_overprint(self.read, pixels, seen.lines))

    def _parts(self, first: Sequence[TextLine], image: Pixels) -> list[Rectangle]:
        """Where to look again; nowhere in a picture whose text was large enough."""
        height, width = image.shape[:2]
        size, seen = (width, height), self.side / max(height, width)
        if seen >= _MOSTLY:
            return []
        found = blocks(first)
        large = bool(found) and median(block.height for block in found) * seen >= _SMALL
        if large and (len(found) >= _MANY or (len(found) >= _FEW and reads_well(first, self.count_labels))):
            return []
        if len(found) < _MANY:
            found += self._in_tiles(image)
        return regions([block for block in found if block.height * seen < _SMALL], size)

    def _in_tiles(self, image: Pixels) -> list[Block]:
        found: list[Block] = []
        height, width = image.shape[:2]
        for left, top, right, bottom in tiles((width, height), min(_TILE * self.side, _PART * max(height, width))):
            check()
            lines = self.read(np.ascontiguousarray(image[top:bottom, left:right]))
            found += blocks([moved(line, left, top) for line in lines])
        return found

    def _closer(self, part: Rectangle, cut: Cut) -> Seen:
        """The lines of a part, with their boxes on the picture: even those of a mirrored one."""
        check()
        pixels = cut(part)
        seen = self._overprinted(look(self.read, pixels, self.count_labels), pixels)
        lines = flipped_back(seen.lines, pixels.shape[1]) if seen.mirrored else seen.lines
        left, top, right, bottom = part
        across, down = (right - left) / pixels.shape[1], (bottom - top) / pixels.shape[0]
        return Seen([moved(line, left, top, across, down) for line in lines], seen.mirrored)


def _together(
    first: Sequence[TextLine], parts: Sequence[Rectangle], seen: Sequence[Seen], size: tuple[int, int]
) -> list[TextLine]:
    """The parts' lines in the place of those that the first look found there; what was surer stays.

    A line across a part's edge is as the first look read it: the closer one saw only a piece of it.
    """
    groups: list[list[TextLine]] = []
    taken: list[TextLine] = []
    for part, each in zip(parts, seen, strict=True):
        before = [line for line in first if _inside(line, part)]
        lines = [line for line in each.lines if not _at_edge(line, part, size)]
        lines = lines if _weight(lines) >= _AS_GOOD * _weight(before) else before
        lines = [line for line in lines if not _in_any(line, [area(other) for other in taken])]
        taken += lines
        groups.append(lines)
    left = [line for line in first if not any(_inside(line, part) for part in parts) and line.confidence >= _NOISE]
    boxes = [area(line) for line in taken]
    groups += [[line] for line in left if not _in_any(line, boxes)]
    return [line for group in _in_order([group for group in groups if group]) for line in group]


def _in_order(groups: Sequence[list[TextLine]]) -> list[list[TextLine]]:
    """From top to bottom, those beside each other from left to right."""
    areas = {id(group): area(*group) for group in groups}
    rest = sorted(groups, key=lambda group: areas[id(group)][1])
    ordered: list[list[TextLine]] = []
    while rest:
        row = [group for group in rest if _beside(areas[id(rest[0])], areas[id(group)])]
        ordered += sorted(row, key=lambda group: areas[id(group)][0])
        rest = [group for group in rest if not any(group is each for each in row)]
    return ordered


def _beside(one: Rectangle, other: Rectangle) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return one is other or shared > 0.5 * min(one[3] - one[1], other[3] - other[1])


def _weight(lines: Sequence[TextLine]) -> float:
    return sum(line.confidence * len(line.text.strip()) for line in lines)


def _inside(line: TextLine, part: Rectangle) -> bool:
    left, top, right, bottom = area(line)
    return part[0] <= left and part[1] <= top and right <= part[2] and bottom <= part[3]


def _at_edge(line: TextLine, part: Rectangle, size: tuple[int, int]) -> bool:
    """Whether a part's line reaches an edge that is not the picture's own."""
    left, top, right, bottom = area(line)
    return (
        0 < part[0] >= left - _EDGE
        or 0 < part[1] >= top - _EDGE
        or size[0] > part[2] <= right + _EDGE
        or size[1] > part[3] <= bottom + _EDGE
    )


def _in_any(line: TextLine, areas: Sequence[Rectangle]) -> bool:
    left, top, right, bottom = area(line)
    x, y = (left + right) / 2, (top + bottom) / 2
    return any(each[0] <= x <= each[2] and each[1] <= y <= each[3] for each in areas)
