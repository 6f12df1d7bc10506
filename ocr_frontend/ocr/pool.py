"""A bounded pool of OCR readers beside the event loop.

One reader a thread (its models run outside the interpreter lock). A waiting request holds the bytes that were
sent, never decoded pixels: decoding happens in the reader's thread, so at most `readers` pictures are open at a time.
A reader that does not come back is given up and another one opened in its place.
"""

import asyncio
import threading
import time
from collections.abc import Callable

from ocr_frontend.auth.work import Work, current
from ocr_frontend.errors import Busy, DeadlineExceeded
from ocr_frontend.ocr.cancellation import until
from ocr_frontend.ocr.images import Limits, Sent, decode
from ocr_frontend.ocr.memory import Gate
from ocr_frontend.ocr.orientation import CountLabels, no_labels
from ocr_frontend.ocr.phases import NoPhases, Phases
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.ocr.readers import AGAIN, Readers
from ocr_frontend.ocr.scan import Page, scan
from ocr_frontend.ocr.unanswered import FindUnanswered, none_unanswered
from ocr_frontend.ocr.worker import Worker

__all__ = ["OcrPool", "Page"]

_WAIT_SHARE = 0.5  # of the deadline may go by in the queue; past that, reads would be stopped halfway
_SPARE = 2  # a read is begun where so many times the usual one's seconds are left: some pictures take longer
_NEWEST = 0.2  # weight of the newest read in the usual one's seconds


class OcrPool(Readers):
    """`await start()` loads the readers, `await read(data)` uses the next free one, `close()` ends it.

    queue: pictures that may wait; seconds: for waiting and reading; count_labels: how many labels of known documents
    stand in lines; find_unanswered: those whose value was not read; phases: whose turn it is, where the model server
    has the same cores; stuck: seconds past a read's end until its reader is given up.
    """

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        readers: int,
        queue: int,
        seconds: float,
        limits: Limits,
        *,
        count_labels: CountLabels = no_labels,
        find_unanswered: FindUnanswered = none_unanswered,
        phases: Phases | None = None,
        stuck: float = 20.0,
        again: tuple[float, float] = AGAIN,
    ) -> None:
        super().__init__(open_reader, readers, again)
        self._queue, self._seconds, self._limits, self._stuck_seconds = queue, seconds, limits, stuck
        self._count_labels, self._find_unanswered = count_labels, find_unanswered
        self._phases = phases or NoPhases()
        self.gate = Gate(limits.decode_bytes)
        self._usual = 0.0  # seconds that a read took of late; 0 until one has ended

    @property
    def may_wait(self) -> bool:
        """Whether there is a queue at all."""
        return self._queue > 0

    async def check(self, data: bytes | Sent) -> None:
        """Decode one image and let it go. Raises what `images.decode` raises, OcrUnavailable."""
        self.require_ready()
        await asyncio.to_thread(decode, data, self._limits, self.gate)

    async def read(self, data: bytes | Sent) -> Page:
        """Decode and read one image.

        Raises what `images.decode` raises, Busy (queue full, or no reader in time), OcrUnavailable (not loaded),
        DeadlineExceeded. Past the deadline, and when the caller is cancelled, the read stops before the next run of a
        model.
        """
        self.require_turn()
        work = current()
        seconds = work.left(self._seconds)
        begun = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                with self._phases.wanted():
                    return await self._read(data, begun, work, time.monotonic() + seconds)
        except TimeoutError:
            if not begun.is_set():  # nothing is wrong with the image: the same request may succeed later
                raise Busy("No OCR reader became free in time.") from None
            raise DeadlineExceeded(f"The image was not read within {seconds:.3g} s.") from None

    def require_turn(self) -> None:
        """Raises Busy where a place in the queue would be worth nothing now, OcrUnavailable (not loaded).

        Of the queue every waiting key has its share. Who is about to receive a picture asks before it, too.
        """
        self.require_ready()
        work = current()
        if self._turns.free or work.background:
            return
        own, keys = self._turns.waiting_of(work.key), self._turns.keys_with(work.key)
        if own >= (max(1, self._queue // keys) if self._queue else 0):
            raise Busy("All OCR readers are busy and the queue is full.")
        before = min(self._turns.people + 1, (own + 1) * keys)
        if before * self._usual / self._readers > work.left(self._seconds) * _WAIT_SHARE:
            raise Busy("All OCR readers are busy and the queue is as long as the deadline allows.")

    async def _read(self, data: bytes | Sent, begun: asyncio.Event, work: Work, deadline: float) -> Page:
        worker = await self._turns.take(work.key, work.background)
        try:
            async with self._phases.reading():
                if deadline - time.monotonic() < _SPARE * self._usual:
                    raise Busy("No OCR reader became free in time.")
                begun.set()
                return await self._read_with(worker, data)
        finally:
            if not begun.is_set():  # it would be stopped halfway, or nobody waits for it; the next one waits
                self._turns.give(worker)

    async def _read_with(self, worker: Worker, data: bytes | Sent) -> Page:
        self.running += 1
        worker.read += 1
        number, stop = worker.read, threading.Event()
        reading = worker.submit(lambda: self._scan_until(stop, worker, data))
        reading.add_done_callback(lambda done: self._release(worker, done))
        try:
            return await asyncio.shield(reading)
        finally:
            stop.set()
            if not reading.done():
                loop = asyncio.get_running_loop()
                loop.call_later(self._stuck_seconds, self._give_up, worker, number, reading)

    def _scan_until(self, stop: threading.Event, worker: Worker, data: bytes | Sent) -> Page:
        assert worker.reader is not None
        with until(stop):
            return scan(worker.reader, data, self._limits, self.gate, self._count_labels, self._find_unanswered)

    def _release(self, worker: Worker, done: "asyncio.Future[Page]") -> None:
        # Its exception is looked at, so that an abandoned read's failure is not logged.
        failed = done.cancelled() or done.exception() is not None
        if worker.gone:
            self.stuck -= 1  # it came back after all; another one has its place
            return
        self.running -= 1
        self._turns.give(worker)
        if not failed:
            page = done.result()
            # However long reads take, a free reader is worth a try.
            took = min(page.decode_s + page.ocr_s, self._seconds / (2 * _SPARE))
            self._usual += (took - self._usual) * (_NEWEST if self._usual else 1)
