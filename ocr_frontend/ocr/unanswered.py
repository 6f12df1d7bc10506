"""A third look where a value should stand and none was read: beside a label of a date, a height, M or F.

The detection passes over a single letter, or over a date under a stamp's edge. The part of the picture around such a
label is read once as it is, and once larger with what is paler than ink painted as paper; what was read well there is
painted over, so that little is left to read. Only what has the form of the value is taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ocr_frontend.ocr.boxes import moved, share
from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.ink import READ_WELL, ink_of, inked, levels, painted_over, part_around
from ocr_frontend.ocr.orientation import Read
from ocr_frontend.ocr.pixels import Pixels, Rectangle
from ocr_frontend.ocr.textline import TextLine

_MOST = 3  # labels of a page
_SURE = 0.8  # score of a line that is taken
_LARGER = 2


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A field without a value.

    label: the numbers of its label's lines, none where that was not read either; area: where the value would stand, on
    the picture; holds: whether a text is such a value, with the label before it or without.
    """

    label: tuple[int, ...]
    area: Rectangle
    holds: Callable[[str], bool]


FindUnanswered = Callable[[Sequence[TextLine]], Sequence[Unanswered]]


def none_unanswered(_: Sequence[TextLine]) -> Sequence[Unanswered]:
    """Where no document is known."""
    return ()


def with_answers(read: Read, image: Pixels, lines: Sequence[TextLine], find: FindUnanswered) -> list[TextLine]:
    """The page's lines with what the look found, each behind its label. Raises what `read` raises, and Stopped."""
    found = [each for each in find(lines) if each.label][:_MOST]
    if not found:
        return list(lines)
    ink, rest = ink_of(image, lines), painted_over(image, lines)
    gone, after = set[int](), dict[int, list[TextLine]]()
    for each in found:
        for line in _looked_at(read, rest, each, ink):
            covered = [n for n, other in enumerate(lines) if share(line, other)]
            if each.holds(line.text) and all(n in each.label or lines[n].confidence < READ_WELL for n in covered):
                gone.update(covered)
                after.setdefault(each.label[-1], []).append(line)
                break
    out = list[TextLine]()
    for n, line in enumerate(lines):
        out += [] if n in gone else [line]
        out += after.get(n, [])
    return out


def _looked_at(read: Read, image: Pixels, where: Unanswered, ink: float) -> list[TextLine]:
    """What is read for certain there, as it is first."""
    left, top, right, bottom = part_around(where.area, 0, image)
    if right - left < 4 or bottom - top < 4:
        return []
    pixels = np.ascontiguousarray(image[top:bottom, left:right])
    check()
    seen = [moved(line, left, top) for line in read(pixels)]
    if not any(where.holds(line.text) for line in seen):
        check()
        seen = [moved(line, left, top, 1 / _LARGER, 1 / _LARGER) for line in read(_larger(inked(*levels(pixels, ink))))]
    return [line for line in seen if line.confidence >= _SURE]


def _larger(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((_LARGER * width, _LARGER * height), Image.Resampling.BICUBIC))
