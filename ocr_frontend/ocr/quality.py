"""How good a photo is, from its pixels and the lines read on it: sharpness, glare, resolution, cut edges.

Every score is in [0, 1], 1 is good; below its threshold the sender gets an advice. NumPy alone: some milliseconds, in
the reader's thread.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ocr_frontend.ocr.pixels import Pixels, Rectangle
from ocr_frontend.ocr.textline import Box, TextLine

ADVICE: dict[str, tuple[str, str]] = {
    "sharpness": ("Tenez l'appareil immobile et faites la mise au point.", "Hold the camera still and let it focus."),
    "glare": (
        "Évitez les reflets : inclinez la carte ou la lumière.",
        "Avoid reflections: tilt the card or the light.",
    ),
    "resolution": ("Rapprochez-vous.", "Move closer."),
    "edges": ("Montrez la carte entière, bords compris.", "Show the whole card with its edges."),
}
_LEAST_CONTRAST = 24  # of three channels' sum
_GOOD_TEXT = 24.0  # pixels of height, of which more reads no better
_MOST_LINES = 16  # looked at for sharpness, the largest
_SATURATED = 250
_PAPER = (0.4, 0.6)  # of all pixels: more white than the first is ever less a reflection, more than the second is paper
_MOST_GLARE = 0.15  # of the pixels, at which the score is 0
_MARGIN = 0.02  # of a side between text and edge, from which the score is 1
_GLARE_PIXELS = 250_000  # looked at


def measure(image: Pixels, lines: Sequence[TextLine]) -> dict[str, float]:
    """Name to score. Without lines only glare can be told; the others are left out."""
    scores = {"glare": _glare(image)}
    boxes = [box for line in lines if line.text.strip() and (box := _upright(line.box, image)) is not None]
    if boxes:
        scores |= {
            "sharpness": _sharpness(image, boxes),
            "resolution": _resolution(lines),
            "edges": _edges(image, boxes),
        }
    return {name: round(scores[name], 3) for name in ADVICE if name in scores}


def _upright(box: Box, image: Pixels) -> Rectangle | None:
    """The rectangle around a box, inside the picture; None where nothing of it is."""
    height, width = image.shape[:2]
    xs, ys = [x for x, _ in box], [y for _, y in box]
    left, top, right, bottom = max(0, min(xs)), max(0, min(ys)), min(width, max(xs)), min(height, max(ys))
    return (left, top, right, bottom) if right - left >= 4 and bottom - top >= 4 else None


def _sharpness(image: Pixels, boxes: Sequence[Rectangle]) -> float:
    """How much of a text's contrast its steepest steps cover in one pixel, relative to the text's size.

    A large text's edges may be several pixels wide and as sharp. The median over the widest lines.
    """
    largest = sorted(boxes, key=lambda box: box[0] - box[2])[:_MOST_LINES]
    return float(np.median([_steepness(image[top:bottom, left:right]) for left, top, right, bottom in largest]))


def _steepness(crop: Pixels) -> float:
    light = crop[..., 0].astype(np.int16) + crop[..., 1] + crop[..., 2]
    contrast = _percentile(light, 98) - _percentile(light, 2)
    if contrast < _LEAST_CONTRAST:
        return 0.0
    steepest = _percentile(np.abs(np.diff(light, axis=1)), 98) / contrast
    return float(min(1.0, steepest * max(1.0, light.shape[0] / _GOOD_TEXT) / 0.5))


def _percentile(values: NDArray[np.int16], share: int) -> int:
    """The least value that so many of a hundred do not pass, by counting: sorting takes ten times as long."""
    counts = np.cumsum(np.bincount(values.ravel()))
    return int(np.searchsorted(counts, share / 100 * counts[-1]))


def _glare(image: Pixels) -> float:
    """1 where nothing is burnt out. A white background is no reflection."""
    step = max(1, int((image.shape[0] * image.shape[1] / _GLARE_PIXELS) ** 0.5))
    red, green, blue = (image[::step, ::step, channel] >= _SATURATED for channel in range(3))
    burnt = float((red & green & blue).mean())
    begin, end = _PAPER
    return max(1.0 - burnt / _MOST_GLARE, min(1.0, max(0.0, (burnt - begin) / (end - begin))))


def _resolution(lines: Sequence[TextLine]) -> float:
    """The height of the text; of a tilted line its left side, not its upright rectangle."""
    heights = [float(np.hypot(b[3][0] - b[0][0], b[3][1] - b[0][1])) for line in lines for b in (line.box,)]
    return min(1.0, float(np.median(heights)) / _GOOD_TEXT)


def _edges(image: Pixels, boxes: Sequence[Rectangle]) -> float:
    """The narrowest margin between any text and the picture's edge."""
    height, width = image.shape[:2]
    margins = (
        min(left / width, top / height, 1 - right / width, 1 - bottom / height) for left, top, right, bottom in boxes
    )
    return float(min(1.0, max(0.0, min(margins)) / _MARGIN))
