"""One picture in one reader's thread: decoded, read, looked at again where its text is small, judged."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ocr_frontend.errors import FrontError
from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.images import Decoded, Gate, Limits, Pixels, Rectangle, Sent, decode, decode_part
from ocr_frontend.ocr.ink import with_ink
from ocr_frontend.ocr.look import Seen, flipped_box
from ocr_frontend.ocr.orientation import CountLabels, no_labels
from ocr_frontend.ocr.pdf import is_pdf
from ocr_frontend.ocr.quality import measure
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.ocr.second_look import Looker
from ocr_frontend.ocr.textline import Box, TextLine
from ocr_frontend.ocr.unanswered import FindUnanswered, none_unanswered

_LEAST_SIDE = 12  # pixels; nothing can be read on less, and models stumble over it
_REDUCED = 1.1  # times as many pixels a side as were decoded are worth decoding a part again


@dataclass(frozen=True, slots=True)
class Page:
    """What was read. `size` is (width, height) in pixels; `quality` holds scores; the times are in seconds.

    mirrored: the lines' boxes are those of the picture flipped left to right; see `box_as_sent`.
    """

    lines: tuple[TextLine, ...]
    size: tuple[int, int]
    decode_s: float
    ocr_s: float
    quality_s: float = 0.0
    quality: dict[str, float] = field(default_factory=dict)
    mirrored: bool = False

    def box_as_sent(self, box: Box) -> Box:
        """A box of this page's lines on the picture as it was sent."""
        return flipped_box(box, self.size[0]) if self.mirrored else box


def scan(
    reader: Reader,
    data: bytes | Sent,
    limits: Limits,
    gate: Gate | None = None,
    count_labels: CountLabels = no_labels,
    find_unanswered: FindUnanswered = none_unanswered,
) -> Page:
    """count_labels: how many labels of known documents stand in lines; an upright picture is known by them.
    find_unanswered: the labels whose value was not read.

    Raises what `decode` raises, Stopped, and what the reader raises.
    """
    began = time.perf_counter()
    decoded = decode(data, limits, gate)
    after = time.perf_counter()
    check()
    seen = see(reader, data, decoded, limits, gate, count_labels, find_unanswered)
    read = time.perf_counter()
    pixels = decoded.pixels[:, ::-1] if seen.mirrored else decoded.pixels
    scores = measure(pixels, seen.lines)
    seconds = {"decode_s": after - began, "ocr_s": read - after, "quality_s": time.perf_counter() - read}
    lines = as_sent(decoded, with_ink(pixels, seen.lines))
    return Page(lines, decoded.size, quality=scores, mirrored=seen.mirrored, **seconds)


def see(
    reader: Reader,
    data: bytes | Sent,
    decoded: Decoded,
    limits: Limits,
    gate: Gate | None = None,
    count_labels: CountLabels = no_labels,
    find_unanswered: FindUnanswered = none_unanswered,
) -> Seen:
    """The lines of a decoded picture, small ones too, with boxes on its pixels. Raises what the reader raises."""
    if min(decoded.pixels.shape[:2]) < _LEAST_SIDE:
        return Seen([])

    def cut(part: Rectangle) -> Pixels:
        return _cut(data, decoded, part, limits, gate)

    return Looker(reader.read, count_labels, limits.detection_side, find_unanswered).look(decoded.pixels, cut)


def _cut(data: bytes | Sent, decoded: Decoded, part: Rectangle, limits: Limits, gate: Gate | None) -> Pixels:
    """A part of the picture: decoded once more where it was reduced, as far as the memory for that allows."""
    (left, top, right, bottom), (across, down) = part, decoded.scale
    if across > _REDUCED and not is_pdf(data.data if isinstance(data, Sent) else data):
        whole = (
            int(left * across), int(top * down), min(decoded.size[0], round(right * across)),
            min(decoded.size[1], round(bottom * down)),
        )  # fmt: skip
        try:
            return decode_part(data, whole, limits, gate)
        except FrontError:
            pass  # it takes too much memory: what was decoded has to do
    return np.ascontiguousarray(decoded.pixels[top:bottom, left:right])


def as_sent(decoded: Decoded, lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """The lines with their boxes on the picture as it was sent, where it was read smaller."""
    across, down = decoded.scale
    if across == down == 1:
        return tuple(lines)
    width, height = decoded.size

    def corner(x: int, y: int) -> tuple[int, int]:
        return min(width - 1, round(x * across)), min(height - 1, round(y * down))

    return tuple(
        replace(line, box=(corner(*a), corner(*b), corner(*c), corner(*d)))
        for line in lines
        for a, b, c, d in (line.box,)
    )
