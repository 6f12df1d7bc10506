"""Where on a picture small text stands, and how to cut a picture into tiles that are looked at more closely."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ocr_frontend.ocr.boxes import area, writing_height
from ocr_frontend.ocr.pixels import Rectangle
from ocr_frontend.ocr.textline import TextLine

_SURE = 0.6  # of a line's score, below which it may be a texture
_LETTERS = 2
_NEAR = (8.0, 4.0, 2.0)  # heights of a line between lines of one region; less where that gives the whole picture
_MARGIN = 12.0  # heights of a line around a region: lines beside those found may have been missed
_WHOLE = 0.75  # of the picture's longest side: a region as long shows nothing larger than the picture
_MOST = 4
_OVERLAP = 0.15  # of a tile's side, shared with the next one


@dataclass(frozen=True, slots=True)
class Block:
    """The upright rectangle around a line, and the height of its writing."""

    left: float
    top: float
    right: float
    bottom: float
    height: float
    letters: int


def blocks(lines: Sequence[TextLine]) -> list[Block]:
    """Of the lines that are text for certain."""
    found = []
    for line in lines:
        letters = len(line.text.strip())
        if line.confidence < _SURE or letters < _LETTERS:
            continue
        found.append(Block(*area(line), writing_height(line), letters))
    return found


def regions(found: Sequence[Block], size: tuple[int, int]) -> list[Rectangle]:
    """Rectangles that hold all text that stands together, those with most text first; none where they would be the
    whole picture. They share no text. size: (width, height) in pixels."""
    for near in _NEAR:
        groups = _groups(found, near)
        if groups and all(_short(_area(group, size), size) for group in groups):
            groups = sorted(_joined(groups, size), key=lambda group: -sum(block.letters for block in group))
            return [_apart(group, groups, size) for group in groups[:_MOST]]
    return []


def tiles(size: tuple[int, int], side: float) -> list[Rectangle]:
    """The picture in overlapping parts of about `side` pixels."""
    columns, rows = _cuts(size[0], side), _cuts(size[1], side)
    return [(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def _cuts(length: int, side: float) -> list[tuple[int, int]]:
    count = max(1, -(-length // int(side)))
    step, more = length / count, 0.0 if count == 1 else _OVERLAP * length / count
    return [(max(0, int(i * step - more)), min(length, int((i + 1) * step + more))) for i in range(count)]


def _groups(found: Sequence[Block], near: float) -> list[list[Block]]:
    """Blocks between which there are at most so many of their heights."""
    groups: list[list[Block]] = []
    for block in found:
        touching = [group for group in groups if any(_close(block, other, near) for other in group)]
        merged = [block, *(each for group in touching for each in group)]
        groups = [group for group in groups if group not in touching] + [merged]
    return groups


def _close(one: Block, other: Block, near: float) -> bool:
    away = near * max(one.height, other.height)
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    return max(across, down) <= away


def _short(area: Rectangle, size: tuple[int, int]) -> bool:
    return max(area[2] - area[0], area[3] - area[1]) <= _WHOLE * max(size)


def _text(group: Sequence[Block]) -> tuple[float, float, float, float]:
    return (
        min(block.left for block in group), min(block.top for block in group),
        max(block.right for block in group), max(block.bottom for block in group),
    )  # fmt: skip


def _area(group: Sequence[Block], size: tuple[int, int]) -> Rectangle:
    """The text with its margin, on the picture."""
    margin = _MARGIN * median(block.height for block in group)
    left, top, right, bottom = _text(group)
    return (
        max(0, int(left - margin)), max(0, int(top - margin)),
        min(size[0], int(right + margin)), min(size[1], int(bottom + margin)),
    )  # fmt: skip


def _apart(group: Sequence[Block], groups: Sequence[Sequence[Block]], size: tuple[int, int]) -> Rectangle:
    """The area of a group, no further than halfway to another one's text: a line cut through would be read wrong."""
    left, top, right, bottom = _area(group, size)
    mine = _text(group)
    for other in groups:
        theirs = _text(other)
        if other is group or not _overlap((left, top, right, bottom), theirs):
            continue
        gaps = (theirs[0] - mine[2], mine[0] - theirs[2], theirs[1] - mine[3], mine[1] - theirs[3])
        widest = gaps.index(max(gaps))
        half = max(gaps) / 2
        if half <= 0:
            continue  # one stands within the other
        match widest:
            case 0:
                right = min(right, int(mine[2] + half))
            case 1:
                left = max(left, int(mine[0] - half))
            case 2:
                bottom = min(bottom, int(mine[3] + half))
            case _:
                top = max(top, int(mine[1] - half))
    return left, top, right, bottom


def _joined(groups: Sequence[list[Block]], size: tuple[int, int]) -> list[list[Block]]:
    """Groups whose areas overlap as one, unless that would be the whole picture: nothing is read twice for nothing."""
    out: list[list[Block]] = []
    for given in groups:
        group = given
        for other in list(out):
            if _overlap(_area(group, size), _area(other, size)) and _short(_area([*group, *other], size), size):
                out = [each for each in out if each is not other]
                group = [*group, *other]
        out.append(group)
    return out


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
