"""The readers of a pool: opened until it works, counted, and given up where they do not come back."""

import asyncio
import logging
import traceback
from collections.abc import Callable

from ocr_frontend.errors import FrontError, OcrUnavailable
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.ocr.scan import Page
from ocr_frontend.ocr.turns import Turns
from ocr_frontend.ocr.worker import Worker

log = logging.getLogger("ocr_frontend")
AGAIN = (5.0, 60.0)  # seconds until loading is tried again, doubled each time up to the second
_MOST_STUCK = 3  # threads that never came back; each keeps a reader's memory, so then the process is better begun anew


class Readers:
    """`await start()` loads `readers` of them, `close()` ends them. Who reads takes one from `_turns`."""

    def __init__(self, open_reader: Callable[[], Reader], readers: int, again: tuple[float, float] = AGAIN) -> None:
        self._open_reader, self._readers, self._again = open_reader, readers, again
        self._turns: Turns[Worker] = Turns()
        self._workers: set[Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.failure: str | None = None
        self.running = 0
        self.stuck = 0
        self.replaced = 0
        self.load_failures = 0

    @property
    def ready(self) -> bool:
        """Whether a picture can be read: at least one reader is there."""
        return bool(self._workers)

    @property
    def alive(self) -> bool:
        """False when so many readers hang that the process is better begun anew."""
        return self.stuck < _MOST_STUCK

    @property
    def workers(self) -> int:
        """Readers that are there, free or not."""
        return len(self._workers)

    @property
    def waiting(self) -> int:
        """Pictures in the queue."""
        return self._turns.waiting

    @property
    def people_waiting(self) -> int:
        """Of these, those that somebody waits for."""
        return self._turns.people

    def require_ready(self) -> None:
        """Raises OcrUnavailable while no reader is there, with the reason where loading failed."""
        if not self.ready:
            raise OcrUnavailable("The OCR models are not loaded yet." if self.failure is None else self.failure)

    async def start(self, *, again: bool = True) -> None:
        """Load the readers, one after the other (their imports would only wait for each other), until it works.

        Raises OcrUnavailable at the first failure where it is not to be tried `again`.
        """
        for _ in range(self._readers):
            await self._open(again=again)

    async def _open(self, *, again: bool = True) -> None:
        pause, most = self._again
        while True:
            worker = Worker("ocr")
            try:
                worker.reader = await worker.submit(self._open_reader)
            except Exception as error:
                worker.leave()
                self._failed(error)
                if not again:
                    raise OcrUnavailable(str(self.failure)) from None
                await asyncio.sleep(pause)
                pause = min(most, 2 * pause)
                continue
            except asyncio.CancelledError:
                worker.leave()
                raise
            self.failure = None
            self._workers.add(worker)
            self._turns.give(worker)
            return

    def _failed(self, error: Exception) -> None:
        """Of an error that is not ours the type alone: its message may name paths."""
        self.load_failures += 1
        known = (
            error.message if isinstance(error, FrontError) else f"The OCR cannot be loaded ({type(error).__name__})."
        )
        self.failure = known
        frames = "" if isinstance(error, FrontError) else "\n" + "".join(traceback.format_tb(error.__traceback__))
        log.error("OCR: %s%s", known, frames)

    def _give_up(self, worker: Worker, number: int, reading: "asyncio.Future[Page]") -> None:
        """A read that was told to stop, and long after that has not: its thread hangs in native code."""
        if reading.done() or worker.gone or worker.read != number:
            return
        worker.leave()
        self._workers.discard(worker)
        self.running -= 1
        self.stuck += 1
        self.replaced += 1
        log.error("OCR: a reader has not come back; another one is opened in its place (%d hang)", self.stuck)
        task = asyncio.get_running_loop().create_task(self._open())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Accept no more work. A read that has begun ends by itself, and nobody waits for it."""
        for task in self._tasks:
            task.cancel()
        for worker in self._workers:
            worker.leave()
        self._workers.clear()
