"""Personal data goes when its time is over: the sweep, which no error ends, and which is watched itself."""

import asyncio
import logging
import time

from ocr_frontend.jobs.runner import failed
from ocr_frontend.jobs.store import JobStore
from ocr_frontend.jobs.tables import Counts
from ocr_frontend.observability.access_log import AccessLog

log = logging.getLogger("ocr_frontend")


class Retention:
    """`run()` sweeps every `seconds`. failures: sweeps that failed; last: when one succeeded (seconds since 1970)."""

    def __init__(self, store: JobStore, access: AccessLog, seconds: float) -> None:
        self._store, self._access, self._seconds = store, access, seconds
        self.failures = 0
        self.last = time.time()
        self.counts = Counts()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.sweep()
            await asyncio.sleep(self._seconds)

    async def sweep(self) -> None:
        """Delete what has expired, once. Raises nothing: the next sweep tries again."""
        try:
            expired = await self._store.sweep(_given_up)
            self.counts = await self._store.counts()
        except Exception as error:
            self.failures += 1
            log.error("jobs: what has expired could not be deleted (%s); it is tried again", type(error).__name__)
            return
        self.last = time.time()
        for job in expired:
            self._access.note("expired", job=job)
        if expired:
            log.info("jobs: %d expired and deleted", len(expired))


def _given_up(number: int, page: int) -> bytes:
    message = "Nobody got to read the image in all the time that it may wait."
    return failed(number, page, "expired", message).model_dump_json().encode()
