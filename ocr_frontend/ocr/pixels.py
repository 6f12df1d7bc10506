"""From a decoded picture to RGB bytes, some rows at a time: beside the picture itself only the result is in memory."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]  # left, top, right, bottom

_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
_STRIP = 512 * 1024  # pixels of a strip
_EDGE = 2  # rows that a strip overlaps its neighbours by, so that scaling leaves no seam


def to_pixels(image: Image.Image, size: tuple[int, int], part: Rectangle | None = None) -> Pixels:
    """A loaded picture, or a part of it, as (height, width, 3) RGB bytes of `size` (width, height), never larger.

    Transparency becomes white: a transparent background would come out black, and black text with it. Depths of 16
    bits and more are stretched from their darkest to their brightest value.
    """
    bounds = _bounds(image)
    width, height = size
    left, first, right, last = part or (0, 0, image.width, image.height)
    out: Pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP // max(1, right - left))
    step = max(1, math.floor(rows * height / (last - first)))
    for top in range(0, height, step):
        bottom = min(height, top + step)
        per = (last - first) / height
        box = (left, first + top * per, right, first + bottom * per)
        out[top:bottom] = _strip(image, bounds, box, width, bottom - top)
    return out


def _strip(
    image: Image.Image,
    bounds: tuple[float, float],
    area: tuple[int, float, int, float],
    width: int,
    height: int,
) -> Pixels:
    left, top, right, bottom = area
    first, last = max(0, math.floor(top) - _EDGE), min(image.height, math.ceil(bottom) + _EDGE)
    part = _flat(image.crop((left, first, right, last)), bounds)
    box = (0, top - first, right - left, bottom - first)
    if part.size != (width, height) or box != (0, 0, *part.size):
        part = part.resize((width, height), Image.Resampling.BILINEAR, box)
    return np.asarray(part, np.uint8)


def _flat(part: Image.Image, bounds: tuple[float, float]) -> Image.Image:
    if part.mode in _DEEP:
        part = _eight_bits(part, *bounds)
    if part.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in part.info:
        rgba = part.convert("RGBA")
        part = Image.new("RGB", part.size, "white")
        part.paste(rgba, mask=rgba.getchannel("A"))
    return part.convert("RGB")


def _bounds(image: Image.Image) -> tuple[float, float]:
    """The darkest and the brightest value of a deep picture; (0, 0) where there is no telling."""
    if image.mode not in _DEEP:
        return 0.0, 0.0
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (0.0, 0.0)


def _eight_bits(part: Image.Image, low: float, high: float) -> Image.Image:
    """Scanners write 16 bits; Pillow's own conversion would clip them to white."""
    if high <= low:
        return Image.new("L", part.size)
    values: NDArray[Any] = np.asarray(part)
    if values.dtype.kind == "f":
        scaled = np.nan_to_num((values - np.float32(low)) * np.float32(255.0 / (high - low)))
    else:
        scaled = (values.astype(np.int64) - int(low)) * 255 // int(high - low)
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
