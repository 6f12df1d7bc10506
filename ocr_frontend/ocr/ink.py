"""Ink and what is paler: how dark a page is written, whatever the light, and a part of it without its watermark."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ocr_frontend.ocr.boxes import area
from ocr_frontend.ocr.geometry import aslant
from ocr_frontend.ocr.pixels import Pixels, Rectangle
from ocr_frontend.ocr.textline import TextLine

PALE = 0.5  # of the way from ink to paper, from which on it is no ink
READ_WELL = 0.9  # score of a line that needs no other look
_INK, _PAPER = 4, 90  # percentiles of a box's brightness
_AROUND = 80  # percentile of a line's pixels that is what is around it

Brightness = NDArray[np.float32]
_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601's, as Pillow has them


def ink_of(image: Pixels, lines: Sequence[TextLine]) -> float:
    """How bright the ink of these lines is, in parts of the paper around it."""
    found = [share for line in lines if (share := _ink(image, line)) is not None]
    return median(found) if found else 1.0


def with_ink(image: Pixels, lines: Sequence[TextLine]) -> list[TextLine]:
    """The same lines, of each how bright its writing is."""
    return [replace(line, ink=_ink(image, line)) for line in lines]


def _ink(image: Pixels, line: TextLine) -> float | None:
    """None of a box beside the picture."""
    left, top, right, bottom = part_around(area(line), 0, image)
    if right <= left or bottom <= top:
        return None
    counts = np.bincount(_brightness(image[top:bottom, left:right]).astype(np.uint8).ravel(), minlength=256)
    shares = counts.cumsum() / counts.sum()
    dark, paper = (int(np.searchsorted(shares, percent / 100)) for percent in (_INK, _PAPER))
    return round(dark / max(paper, 1), 3)


def levels(pixels: Pixels, ink: float) -> tuple[Brightness, float]:
    """Of each pixel of a part: 0 where it is ink and darker, 1 where it is paper; and how bright the paper is."""
    brightness = _brightness(pixels)
    paper = float(np.percentile(brightness, _PAPER))
    shares = brightness / max(paper, 1.0)
    level: Brightness = np.clip((shares - ink) / max(1.0 - ink, 0.01), 0.0, None).astype(np.float32)
    return level, paper


def inked(level: Brightness, paper: float) -> Pixels:
    """The part with everything paler than ink as bright as paper."""
    grey = np.minimum(level / PALE, 1.0) * paper
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def painted_over(image: Pixels, lines: Sequence[TextLine]) -> Pixels:
    """The picture with the lines that were read well as bright as what is around them; not those across the page's
    text, whose boxes hold other print."""
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for line, tilted in zip(lines, aslant(lines), strict=True):
        left, top, right, bottom = part_around(area(line), 0, image)
        if line.confidence >= READ_WELL and not tilted and right > left and bottom > top:
            red, green, blue = (
                int(each) for each in np.percentile(image[top:bottom, left:right], _AROUND, axis=(0, 1))
            )
            draw.polygon(line.box, fill=(red, green, blue))
    return np.asarray(picture)


def part_around(rectangle: Rectangle, margin: int, image: Pixels) -> Rectangle:
    """The rectangle with a margin, as far as it is on the picture."""
    left, top, right, bottom = rectangle
    height, width = image.shape[:2]
    return (
        max(0, left - margin), max(0, top - margin),
        min(width, right + margin + 1), min(height, bottom + margin + 1),
    )  # fmt: skip


def _brightness(pixels: Pixels) -> Brightness:
    found: Brightness = pixels.astype(np.float32) @ _WEIGHTS
    return found
