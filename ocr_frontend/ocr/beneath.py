"""What stands beneath a watermark or a stamp, where a known page lacks a value: the detection passes over print that
something paler runs through.

The page is read once more without what was read well and with everything paler than its ink painted as paper. What is
read there for certain, in the size of the other lines and where none of them stands but what runs across, is added.
"""

from collections.abc import Sequence
from statistics import median

import numpy as np

from ocr_frontend.ocr.boxes import area, moved, share, writing_height
from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.geometry import aslant
from ocr_frontend.ocr.ink import ink_of, inked, levels, painted_over, part_around
from ocr_frontend.ocr.orientation import Read
from ocr_frontend.ocr.pixels import Pixels
from ocr_frontend.ocr.textline import TextLine

_SURE = 0.9  # score of a line that is added
_SMALLER, _LARGER = 0.6, 1.6  # times the page's middle height
_MARGIN, _TILE = 3, 6  # heights around the page's lines, and of a tile, whose paper is as bright everywhere
_WHITE = 255.0


def with_beneath(read: Read, image: Pixels, lines: Sequence[TextLine]) -> list[TextLine]:
    """The page's lines with what was found, by its height on the page. Raises what `read` raises, and Stopped."""
    usual = median(writing_height(line) for line in lines)
    left, top, right, bottom = part_around(area(*lines), round(_MARGIN * usual), image)
    ink, rest = ink_of(image, lines), painted_over(image, lines)
    part = _without_pale(rest[top:bottom, left:right], ink, max(1, round(_TILE * usual)))
    check()
    out = list(lines)
    level = [line for line, across in zip(lines, aslant(lines), strict=True) if not across]
    for line in (moved(each, left, top) for each in read(part)):
        if _surely_read(line, usual) and not any(share(line, other) for other in level):
            out.insert(_place(line, out), line)
            level.append(line)
    return out


def _surely_read(line: TextLine, usual: float) -> bool:
    likely = line.confidence >= _SURE and bool(line.text.strip())
    return likely and _SMALLER <= writing_height(line) / usual <= _LARGER


def _place(line: TextLine, lines: Sequence[TextLine]) -> int:
    """Before the first line that stands lower."""
    height = area(line)[1]
    return next((n for n, other in enumerate(lines) if area(other)[1] > height), len(lines))


def _without_pale(image: Pixels, ink: float, side: int) -> Pixels:
    """Everything paler than ink white. Light differs over a page: what is paper is looked for around each tile."""
    out = np.empty_like(image)
    height, width = image.shape[:2]
    for top in range(0, height, side):
        for left in range(0, width, side):
            begin, first = max(0, top - side // 2), max(0, left - side // 2)
            level, _ = levels(image[begin : top + side + side // 2, first : left + side + side // 2], ink)
            own = level[top - begin : top - begin + side, left - first : left - first + side]
            out[top : top + side, left : left + side] = inked(own, _WHITE)
    return out
