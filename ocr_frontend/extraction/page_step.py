"""From a picture to its page: the wait for a reader, the reading, and what is said where there is nothing to read."""

import time
from collections.abc import Mapping

from ocr_frontend.errors import NoTextFound
from ocr_frontend.observability import telemetry
from ocr_frontend.observability.metrics import Metrics
from ocr_frontend.ocr.contents import Sent
from ocr_frontend.ocr.pool import OcrPool, Page
from ocr_frontend.ocr.quality import ADVICE


class PageStep:
    """thresholds: of a picture's quality."""

    def __init__(self, pool: OcrPool, metrics: Metrics, thresholds: Mapping[str, float]) -> None:
        self._pool, self._metrics, self._thresholds = pool, metrics, thresholds

    @property
    def may_wait(self) -> bool:
        """Whether a second picture of the same request finds a place in the queue."""
        return self._pool.may_wait

    async def check(self, data: bytes | Sent) -> None:
        """Whether the picture can be decoded, before anything is read. Raises what decoding it raises."""
        await self._pool.check(data)

    async def page(self, source: bytes | Sent | Page) -> Page:
        """The page of a picture; one that was read elsewhere is that already, and no stage of ours.

        Raises NoTextFound, and what the pool raises.
        """
        return source if isinstance(source, Page) else await self._read(source)

    async def _read(self, data: bytes | Sent) -> Page:
        began = time.perf_counter()
        page = await self._pool.read(data)
        telemetry.past(decode=page.decode_s, ocr=page.ocr_s, quality=page.quality_s)
        waited = time.perf_counter() - began - page.decode_s - page.ocr_s - page.quality_s
        self._metrics.took({"queue": max(0.0, waited), "decode": page.decode_s, "ocr": page.ocr_s})
        if not any(line.text.strip() for line in page.lines):
            # Without lines only burnt-out spots can be told apart.
            said = advice(page.quality, self._thresholds, usual=("resolution", "sharpness"))
            raise NoTextFound(f"No text was found on the image. {said}")
        return page


def advice(scores: Mapping[str, float], thresholds: Mapping[str, float], usual: tuple[str, ...] = ()) -> str:
    """What the sender can do about a poor picture, in English and French; `usual`: where no score is poor."""
    poor = tuple(name for name, score in scores.items() if score < thresholds[name]) or usual
    french, english = (" ".join(ADVICE[name][language] for name in poor) for language in (0, 1))
    return f"{english} / {french}" if poor else ""
