"""The one EXIF tag that counts here, read by hand: cameras write odd tags, which say nothing about pixels."""

import struct

import numpy as np

from ocr_frontend.ocr.pixels import Pixels, Rectangle

_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4
_UPRIGHT = 1


def orientation(block: bytes) -> int:
    """1 to 8 as EXIF counts them; 1 (as it is) where the block is missing, cut off or senseless."""
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return _UPRIGHT
    try:
        magic, offset = struct.unpack_from(f"{order}HI", block, 2)
        (entries,) = struct.unpack_from(f"{order}H", block, offset)
        if magic != 42:
            return _UPRIGHT
        for place in range(offset + 2, offset + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", block, place)
            if tag == _ORIENTATION and kind in (_SHORT, _LONG):
                (value,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), block, place + 8)
                return value if 1 <= value <= 8 else _UPRIGHT
    except struct.error:
        pass  # cut off
    return _UPRIGHT


def upright(pixels: Pixels, turned: int) -> Pixels:
    """The (height, width, 3) array as it is meant to be looked at. 1 and unknown values change nothing."""
    match turned:
        case 2:
            view = pixels[:, ::-1]
        case 3:
            view = pixels[::-1, ::-1]
        case 4:
            view = pixels[::-1]
        case 5:
            view = pixels.transpose(1, 0, 2)
        case 6:
            view = np.rot90(pixels, -1)
        case 7:
            view = pixels.transpose(1, 0, 2)[::-1, ::-1]
        case 8:
            view = np.rot90(pixels)
        case _:
            return pixels
    return np.ascontiguousarray(view)


def stored(part: Rectangle, size: tuple[int, int], turned: int) -> Rectangle:
    """Where a part of the upright picture lies in the picture as it is stored; size: (width, height) of that."""
    (left, top, right, bottom), (width, height) = part, size
    if turned >= 5:
        left, top, right, bottom = top, left, bottom, right
    if turned in (2, 3, 7, 8):
        left, right = width - right, width - left
    if turned in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom
