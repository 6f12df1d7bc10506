"""Pictures that say of every part of them where it lies, and a reader that sees on them what a detection would."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.textline import TextLine

STEP = 16  # pixels a grey level


@dataclass(frozen=True)
class Written:
    """A text on the picture: its left top corner and the height of its letters, in pixels."""

    text: str
    left: int
    top: int
    height: int = 24

    @property
    def width(self) -> int:
        """Letters are half as wide as high."""
        return max(1, self.height * len(self.text) // 2)


def picture(width: int, height: int) -> Pixels:
    """Red says how far right, green how far down a pixel is."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.minimum(255, np.arange(width) // STEP)[None, :]
    image[..., 1] = np.minimum(255, np.arange(height) // STEP)[:, None]
    return image


def card(texts: Sequence[str], left: int = 0, top: int = 0, height: int = 24) -> list[Written]:
    """One under the other."""
    return [Written(text, left, round(top + row * 1.8 * height), height) for row, text in enumerate(texts)]


class Eyes:
    """Reads the letters that lie on the part that it is given, unless they are less than `least` pixels high once the
    longest side is reduced to `side`. A mirrored picture reads as nonsense; `mirrored`: so was this one taken."""

    def __init__(self, written: Sequence[Written], *, side: int = 960, least: float = 7.0, mirrored: bool = False):
        self.written, self.side, self.least, self.mirrored = written, side, least, mirrored
        self.seen: list[tuple[int, int]] = []

    def read(self, image: Pixels) -> list[TextLine]:
        """As a Reader does."""
        height, width = image.shape[:2]
        self.seen.append((width, height))
        flipped = int(image[0, 0, 0]) > int(image[0, -1, 0])
        view = image[:, ::-1] if flipped else image
        per = (int(view[0, -1, 0]) - int(view[0, 0, 0]) + 1) * STEP / width  # pixels of the scene a pixel of the part
        left, top = int(view[0, 0, 0]) * STEP, int(view[0, 0, 1]) * STEP
        found = []
        for each in self.written:
            x, y = (each.left - left) / per, (each.top - top) / per
            wide, high = each.width / per, each.height / per
            letter = wide / len(each.text)
            begin, end = max(0, math.ceil(-x / letter)), min(len(each.text), int((width - x) / letter))
            if end - begin < min(2, len(each.text)) or y < 0 or y + high > height:
                continue
            if high * min(1.0, self.side / max(width, height)) < self.least:
                continue
            good = flipped == self.mirrored
            shown, right = each.text[begin:end], x + wide if end == len(each.text) else width - 1
            x = 0 if begin else x
            text, score = (shown, 0.98) if good else ("".join(reversed(shown.lower())), 0.65)
            a, b = (width - 1 - right, width - 1 - x) if flipped else (x, right)
            corners = ((a, y), (b, y), (b, y + high), (a, y + high))
            found.append(TextLine(text, score, tuple((round(p), round(q)) for p, q in corners)))  # type: ignore[arg-type]
        return found
