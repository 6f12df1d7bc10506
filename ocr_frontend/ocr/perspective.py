"""A card photographed from the side is read from a flat copy; boxes are those of the picture as sent.

A frontal card, or one merely turned or tilted, is read as it was sent, since resampling blurs small print.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_frontend.ocr.card_edges import Corners, convergence, find_card, lengths
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.orientation import read_upright, readability
from ocr_frontend.ocr.textline import Box, TextLine

Matrix = NDArray[np.float64]  # (3, 3): a homography

_LONGEST = 32_000  # pixels of a side: OpenCV warps by 16-bit coordinates
_MOST = 12_000_000  # pixels of the flat picture, where text is far higher than recognition needs
_ID1 = 1.586  # long to short side of an ID-1 card
_MARGIN = 0.03  # of the card's long side, kept around it
_READ_WELL = 1.05  # readability of a flat card; below, the picture as sent is read as well


def read_flat(read: Callable[[Pixels], list[TextLine]], image: Pixels, strong: float) -> list[TextLine]:
    """The picture's lines in reading order, boxes in its own pixels, wherever it was taken from.

    strong: degrees between opposite edges of the card, from which it is flattened.
    """
    card = find_card(image) if max(image.shape) <= _LONGEST else None
    if card is None or convergence(card) < strong:
        return read_upright(read, image)
    matrix, size = flattening(card, min(_MOST, image.shape[0] * image.shape[1]))
    flat = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    lines = read_upright(read, np.asarray(flat, dtype=np.uint8))
    if readability(lines) < _READ_WELL:  # perhaps no card after all
        plain = read_upright(read, image)
        if readability(plain) >= readability(lines):
            return plain
    back: Matrix = np.linalg.inv(matrix).astype(np.float64)
    height, width = image.shape[:2]
    return [replace(line, box=moved(line.box, back, (width, height))) for line in lines]


def flattening(card: Corners, most_pixels: int) -> tuple[Matrix, tuple[int, int]]:
    """From the picture to a flat one in ID-1 proportions with a margin, and that one's (width, height).

    No edge gets shorter than it was seen, unless there would be more than `most_pixels`.
    """
    across, down = lengths(card)
    upright = sum(across) < sum(down)
    long = max(*(down if upright else across), _ID1 * max(across if upright else down))
    long = min(long, math.sqrt(most_pixels * _ID1 / ((1 + 2 * _MARGIN) * (1 + 2 * _MARGIN * _ID1))))
    margin, short = long * _MARGIN, long / _ID1
    wide, high = (short, long) if upright else (long, short)
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]]) + margin
    matrix = cv2.getPerspectiveTransform(card.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, dtype=np.float64), (int(wide + 2 * margin), int(high + 2 * margin))


def moved(box: Box, matrix: Matrix, size: tuple[int, int]) -> Box:
    """A box under a homography, kept inside a picture of (width, height)."""
    points = cv2.perspectiveTransform(np.array([box], dtype=np.float64), matrix)[0]
    a, b, c, d = ((min(max(round(x), 0), size[0] - 1), min(max(round(y), 0), size[1] - 1)) for x, y in points.tolist())
    return a, b, c, d
