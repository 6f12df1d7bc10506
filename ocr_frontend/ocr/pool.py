"""A bounded pool of OCR readers beside the event loop.

One reader a thread (its models run outside the interpreter lock). A waiting request holds the bytes that were
sent, never decoded pixels: decoding happens in the reader's thread, so at most `readers` pictures are open at a time.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ocr_frontend.errors import Busy, DeadlineExceeded, OcrUnavailable
from ocr_frontend.ocr.cancellation import check, until
from ocr_frontend.ocr.images import decode
from ocr_frontend.ocr.quality import measure
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.ocr.textline import TextLine

_WAIT_SHARE = 0.5  # of the deadline may go by in the queue; past that, reads would be stopped halfway
_SPARE = 2  # a read is begun where so many times the usual one's seconds are left: some pictures take longer
_NEWEST = 0.2  # weight of the newest read in the usual one's seconds


@dataclass(frozen=True, slots=True)
class Page:
    """What was read. `size` is (width, height) in pixels; `quality` holds scores; the times are in seconds."""

    lines: tuple[TextLine, ...]
    size: tuple[int, int]
    decode_s: float
    ocr_s: float
    quality_s: float = 0.0
    quality: dict[str, float] = field(default_factory=dict)


class OcrPool:
    """`await start()` loads the readers, `await read(data)` uses the next free one, `close()` ends it."""

    def __init__(
        self, open_reader: Callable[[], Reader], readers: int, queue: int, seconds: float, max_pixels: int
    ) -> None:
        self._open_reader, self._readers, self._queue = open_reader, readers, queue
        self._seconds, self._max_pixels = seconds, max_pixels
        self._executor = ThreadPoolExecutor(readers, thread_name_prefix="ocr")
        self._free: asyncio.Queue[Reader] = asyncio.Queue()
        self._loaded = 0
        self._usual = 0.0  # seconds that a read took of late; 0 until one has ended
        self.failure: str | None = None
        self.waiting = 0
        self.running = 0

    @property
    def ready(self) -> bool:
        """Whether every reader is loaded."""
        return self._loaded == self._readers

    def require_ready(self) -> None:
        """Raises OcrUnavailable until every reader is loaded."""
        if not self.ready:
            raise OcrUnavailable("The OCR models are not loaded yet." if self.failure is None else self.failure)

    async def start(self) -> None:
        """Load the readers, one after the other (their imports would only wait for each other).

        Raises OcrUnavailable, and keeps its message for those who ask later.
        """
        loop = asyncio.get_running_loop()
        try:
            for _ in range(self._readers):
                self._free.put_nowait(await loop.run_in_executor(self._executor, self._open_reader))
                self._loaded += 1
        except OcrUnavailable as error:
            self.failure = error.message
            raise

    async def read(self, data: bytes) -> Page:
        """Decode and read one image.

        Raises what `images.decode` raises, Busy (queue full, or no reader in time), OcrUnavailable (not loaded),
        DeadlineExceeded. Past the deadline, and when the caller is cancelled, the read stops before the next run of a
        model.
        """
        self.require_ready()
        if self.waiting >= self._queue and self._free.empty():
            raise Busy("All OCR readers are busy and the queue is full.")
        if self._free.empty() and self._expected() > self._seconds * _WAIT_SHARE:
            raise Busy("All OCR readers are busy and the queue is as long as the deadline allows.")
        begun = asyncio.Event()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(data, begun, asyncio.get_running_loop().time() + self._seconds)
        except TimeoutError:
            if not begun.is_set():  # nothing is wrong with the image: the same request may succeed later
                raise Busy("No OCR reader became free in time.") from None
            raise DeadlineExceeded(f"The image was not read within {self._seconds:g} s.") from None

    def _expected(self) -> float:
        """Seconds until a request that comes now would have a reader."""
        return (self.waiting + 1) * self._usual / self._readers

    async def _read(self, data: bytes, begun: asyncio.Event, deadline: float) -> Page:
        self.waiting += 1
        try:
            reader = await self._free.get()
        finally:
            self.waiting -= 1
        if deadline - asyncio.get_running_loop().time() < _SPARE * self._usual:
            self._free.put_nowait(reader)  # it would be stopped halfway, and the next one waits
            raise Busy("No OCR reader became free in time.")
        begun.set()
        self.running += 1
        stop = threading.Event()
        work = asyncio.get_running_loop().run_in_executor(
            self._executor, _scan_until, stop, reader, data, self._max_pixels
        )

        def release(done: asyncio.Future[Page]) -> None:
            self.running -= 1
            self._free.put_nowait(reader)
            # Its exception is looked at, so that an abandoned read's failure is not logged.
            if not done.cancelled() and done.exception() is None:
                page = done.result()
                # However long reads take, a free reader is worth a try.
                took = min(page.decode_s + page.ocr_s, self._seconds / (2 * _SPARE))
                self._usual += (took - self._usual) * (_NEWEST if self._usual else 1)

        work.add_done_callback(release)
        try:
            return await asyncio.shield(work)
        finally:
            stop.set()

    def close(self) -> None:
        """Accept no more work. A read that has begun ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _scan_until(stop: threading.Event, reader: Reader, data: bytes, max_pixels: int) -> Page:
    with until(stop):
        return scan(reader, data, max_pixels)


def scan(reader: Reader, data: bytes, max_pixels: int) -> Page:
    """Decode, read, and judge the photo; runs in a reader's thread."""
    began = time.perf_counter()
    image = decode(data, max_pixels)
    decoded = time.perf_counter()
    check()
    lines = tuple(reader.read(image))
    read = time.perf_counter()
    scores = measure(image, lines)
    seconds = {"decode_s": decoded - began, "ocr_s": read - decoded, "quality_s": time.perf_counter() - read}
    return Page(lines, (image.shape[1], image.shape[0]), quality=scores, **seconds)
