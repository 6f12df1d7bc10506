"""One picture in one reader's thread: decoded, read, judged."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.images import Decoded, Gate, Limits, Sent, decode
from ocr_frontend.ocr.quality import measure
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.ocr.textline import TextLine

_LEAST_SIDE = 12  # pixels; nothing can be read on less, and models stumble over it


@dataclass(frozen=True, slots=True)
class Page:
    """What was read. `size` is (width, height) in pixels; `quality` holds scores; the times are in seconds."""

    lines: tuple[TextLine, ...]
    size: tuple[int, int]
    decode_s: float
    ocr_s: float
    quality_s: float = 0.0
    quality: dict[str, float] = field(default_factory=dict)


def scan(reader: Reader, data: bytes | Sent, limits: Limits, gate: Gate | None = None) -> Page:
    """Raises what `decode` raises, Stopped, and what the reader raises."""
    began = time.perf_counter()
    decoded = decode(data, limits, gate)
    after = time.perf_counter()
    check()
    lines = reader.read(decoded.pixels) if min(decoded.pixels.shape[:2]) >= _LEAST_SIDE else []
    read = time.perf_counter()
    scores = measure(decoded.pixels, lines)
    seconds = {"decode_s": after - began, "ocr_s": read - after, "quality_s": time.perf_counter() - read}
    return Page(as_sent(decoded, lines), decoded.size, quality=scores, **seconds)


def as_sent(decoded: Decoded, lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """The lines with their boxes on the picture as it was sent, where it was read smaller."""
    across, down = decoded.scale
    if across == down == 1:
        return tuple(lines)
    width, height = decoded.size

    def corner(x: int, y: int) -> tuple[int, int]:
        return min(width - 1, round(x * across)), min(height - 1, round(y * down))

    return tuple(
        TextLine(line.text, line.confidence, (corner(*a), corner(*b), corner(*c), corner(*d)))
        for line in lines
        for a, b, c, d in (line.box,)
    )
