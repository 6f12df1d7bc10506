"""Writing over something larger and paler, as of a watermark: the detection puts both into one box, and one is read on
to the other (`OBAAKOOUMEN`, `586398745AMERC`) or in its place.

A box that is much higher than the page's others is read once more, with what is paler than the page's ink painted as
paper; so is a higher one at whose end stands nothing but what is paler (`SFONKAM`, the S being a watermark's). What was
a watermark alone stays as it was read.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_frontend.ocr.boxes import area, middle, moved, share, writing_height
from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.ink import PALE, Brightness, ink_of, inked, levels, part_around
from ocr_frontend.ocr.orientation import Read
from ocr_frontend.ocr.textline import TextLine

_TALL = 1.5  # times the page's middle height: of 15 values on cards laid out anew that a watermark spoilt, 13
_HIGHER = 1.25  # the same of a box that has no ink at an end
_END, _MARKED, _VISIBLE = 0.6, 0.06, 0.9  # heights of such an end; part of it that is paler than so much of the paper
_LOWER = 0.85  # of a tall box's height, that what is printed over a watermark has at most
_SURE = 0.8  # score of a line that takes the place of another
_FEWEST, _MOST = 4, 6  # lines of a page that tell a tall one; tall ones that are looked at
_LETTERS = 3  # of what was read in a tall box: one large sign is a portrait or an emblem
_INKED = 0.004  # part of a box that is ink where something is written in it
_MARGIN = 0.2  # heights


def without_overprint(read: Read, image: Pixels, lines: Sequence[TextLine]) -> list[TextLine]:
    """The page's lines, with those printed over a watermark in its place. Raises what `read` raises, and Stopped."""
    if len(lines) < _FEWEST:
        return list(lines)
    heights = [writing_height(line) for line in lines]
    usual = median(heights)
    order = sorted(range(len(lines)), key=lambda n: -heights[n])
    higher = [n for n in order if heights[n] >= _HIGHER * usual and len(lines[n].text.strip()) >= _LETTERS]
    tall = {n for n in higher if heights[n] >= _TALL * usual}
    if not higher:
        return list(lines)
    ink = ink_of(image, [line for n, line in enumerate(lines) if n not in tall])
    found = dict[int, list[TextLine]]()
    for n in higher[:_MOST]:
        over = _over(read, image, lines[n], round(_MARGIN * usual), ink, n in tall)
        others = [other for other in lines if other is not lines[n]]
        found[n] = [line for line in over if not any(share(line, other) for other in others)]
    return [each for n, line in enumerate(lines) for each in (found.get(n) or [line])]


def _over(read: Read, image: Pixels, tall: TextLine, margin: int, ink: float, much: bool) -> list[TextLine]:
    """What is written in ink inside of a tall box; nothing where it is all that there is. much: whether it is so tall
    that something else must be in it."""
    left, top, right, bottom = part_around(area(tall), margin, image)
    level, paper = levels(image[top:bottom, left:right], ink)
    here = moved(tall, -left, -top)
    inside_of = _mask(here, level)
    own = level[inside_of]
    if not own.size or (own < PALE).mean() < _INKED or not (much or _pale_end(here, level, inside_of)):
        return []
    check()
    seen = [moved(line, left, top) for line in read(inked(level, paper))]
    inside = [line for line in seen if _inside(line, tall) and line.text.strip()]
    highest = _LOWER * writing_height(tall)
    kept = [line for line in inside if writing_height(line) <= highest and line.confidence >= _SURE]
    return sorted(kept, key=lambda line: (line.box[0][1], line.box[0][0])) if len(kept) == len(inside) else []


def _pale_end(line: TextLine, level: Brightness, inside: NDArray[np.bool_]) -> bool:
    """Whether an end of the line shows something, and none of it is ink."""
    (a, b), (c, d), _, _ = line.box
    length, height = max(1.0, float(np.hypot(c - a, d - b))), writing_height(line)
    down, across = np.nonzero(inside)
    along = ((across - a) * (c - a) + (down - b) * (d - b)) / length
    own = level[inside]
    first, last = np.percentile(along[own < PALE], (0.5, 99.5))
    ends = (along < first - 0.1 * height, first), (along > last + 0.1 * height, length - last)
    return any(wide >= _END * height and end.any() and (own[end] < _VISIBLE).mean() >= _MARKED for end, wide in ends)


def _mask(tall: TextLine, level: Brightness) -> NDArray[np.bool_]:
    """Which pixels of a part are in the tall box, which may be tilted. tall: with its box in the part."""
    down, across = np.indices(level.shape)
    return _in_box(tall, across, down)


def _inside(line: TextLine, tall: TextLine) -> bool:
    """Whether its middle stands inside of the tall box."""
    x, y = middle(line)
    return bool(_in_box(tall, np.array(x), np.array(y)))


def _in_box(line: TextLine, across: NDArray[Any], down: NDArray[Any]) -> NDArray[np.bool_]:
    sides = [(d - b) * (across - a) - (c - a) * (down - b) for (a, b), (c, d) in pairwise([*line.box, line.box[0]])]
    inside: NDArray[np.bool_] = np.logical_or(
        np.all([side <= 0 for side in sides], axis=0), np.all([side >= 0 for side in sides], axis=0)
    )
    return inside
