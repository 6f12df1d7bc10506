"""One look at a picture or a part of it: turned upright, and flipped where it is a mirror's.

Selfie cameras and scans of transparencies give mirrored pictures. OCR finds their lines and reads nonsense; none of it
is a label. Only then is the flipped picture read, and only labels of a known document prove that it is the right one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.orientation import FEW_LABELS, CountLabels, Read, read_upright, reads_well
from ocr_frontend.ocr.textline import Box, TextLine

_FEWEST = 3  # lines; fewer say nothing about how they were photographed


@dataclass(frozen=True, slots=True)
class Seen:
    """Lines in reading order. mirrored: their boxes are those of the picture flipped left to right."""

    lines: list[TextLine]
    mirrored: bool = False


def look(read: Read, image: Pixels, count_labels: CountLabels, first: list[TextLine] | None = None) -> Seen:
    """first: what the picture says as it is, where that is known. Raises what `read` raises."""
    lines = read_upright(read, image, count_labels, first)
    if len(lines) < _FEWEST or reads_well(lines, count_labels):
        return Seen(lines)
    flipped = read_upright(read, np.ascontiguousarray(image[:, ::-1]), count_labels)
    if count_labels(flipped) >= max(FEW_LABELS, count_labels(lines) + 1):
        return Seen(flipped, mirrored=True)
    return Seen(lines)


def flipped_back(lines: Sequence[TextLine], width: int) -> list[TextLine]:
    """Lines of the flipped picture with their boxes on the picture as it is; `width` is its own, in pixels."""
    return [replace(line, box=flipped_box(line.box, width)) for line in lines]


def flipped_box(box: Box, width: int) -> Box:
    """The first corner stays the text's own top left."""
    a, b, c, d = box
    return (width - 1 - a[0], a[1]), (width - 1 - b[0], b[1]), (width - 1 - c[0], c[1]), (width - 1 - d[0], d[1])
