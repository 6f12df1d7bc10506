"""Reads the pictures of jobs beside the requests of people, who come first: a job waits while anybody waits."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ocr_frontend.auth.keys import KeyRing
from ocr_frontend.auth.limits import Limiter
from ocr_frontend.auth.work import Work, working
from ocr_frontend.bodies.include import left_out, shown
from ocr_frontend.errors import Forbidden, FrontError, ModelServerHangs, RateLimited, Unavailable
from ocr_frontend.extraction.pipeline import Pipeline
from ocr_frontend.jobs.bodies import JobError, JobResult
from ocr_frontend.jobs.store import LEASE, JobStore
from ocr_frontend.jobs.tables import Image
from ocr_frontend.ocr.contents import Sent
from ocr_frontend.ocr.pool import OcrPool

log = logging.getLogger("ocr_frontend")
_LOOK = 1.0  # seconds between two looks for pictures that another front was given
_PEOPLE = 0.05  # seconds until it is looked again whether people wait
_MOST_TRIES = 3  # a picture during which the service ended so often is not begun again
_ERROR_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class _Later:
    """Not now: after `seconds`; everything of the key where the key's own limit says so."""

    seconds: float
    whole_key: bool


class Runner:
    """`start()` opens the workers, `close()` ends them; what they were reading is begun again by whoever goes on."""

    def __init__(
        self,
        pipeline: Pipeline,
        pool: OcrPool,
        limiter: Limiter,
        ring: KeyRing,
        store: JobStore,
        workers: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pipeline, self._pool, self._limiter, self._ring = pipeline, pool, limiter, ring
        self._store, self._workers, self._clock = store, workers, clock
        self._new = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._reading: dict[asyncio.Task[JobResult | _Later], str] = {}

    def start(self) -> None:
        """Begin to read."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]

    async def close(self) -> None:
        """End the workers; their pictures are free for others at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._store.give_back()
        except FrontError:
            log.warning("jobs: what was being read is begun again in %g s", LEASE)

    def wake(self) -> None:
        """There is something new to read."""
        self._new.set()

    def stop(self, job_id: str) -> None:
        """A job was deleted: end what is being read of it."""
        for task, job in list(self._reading.items()):
            if job == job_id:
                task.cancel()

    async def _work(self) -> None:
        while True:
            try:
                await self._no_people()
                image = await self._store.claim()
                if image is None:
                    await self._something_new()
                    continue
                pause = await self._take(image)
                del image  # the picture's bytes
                await asyncio.sleep(pause)
            except FrontError as error:
                log.error("jobs: %s", error.code)
                await asyncio.sleep(_ERROR_PAUSE)
            except Exception as error:
                log.error("jobs: unexpected %s", type(error).__name__)
                await asyncio.sleep(_ERROR_PAUSE)

    async def _no_people(self) -> None:
        while self._pool.people_waiting or not self._pool.ready:
            await asyncio.sleep(_PEOPLE)

    async def _something_new(self) -> None:
        self._new.clear()
        try:
            async with asyncio.timeout(_LOOK):
                await self._new.wait()
        except TimeoutError:
            pass

    async def _take(self, image: Image) -> float:
        """Read one picture and keep what came of it. Gives the seconds for which the service is better left alone."""
        task = asyncio.create_task(self._outcome(image))
        self._reading[task] = image.job.id
        renewing = asyncio.create_task(self._renew(image, task))
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
            renewing.cancel()
            await asyncio.gather(task, renewing, return_exceptions=True)
            del self._reading[task]
        if task.cancelled():  # its job was deleted
            return 0.0
        outcome = task.result()
        if isinstance(outcome, _Later):
            await self._store.put_back(image, outcome.seconds, whole_key=outcome.whole_key)
            return 0.0 if outcome.whole_key else outcome.seconds
        body = outcome.model_dump_json().encode()
        await self._store.finish(image, body, failed=outcome.error is not None)
        return 0.0

    async def _renew(self, image: Image, reading: "asyncio.Task[JobResult | _Later]") -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            if not await self._store.renew(image):
                reading.cancel()
                return

    async def _outcome(self, image: Image) -> JobResult | _Later:
        try:
            return await self._read(image)
        except RateLimited as error:
            return _Later(error.retry_after or 1, whole_key=True)
        except FrontError as error:
            waits = isinstance(error, (Unavailable, ModelServerHangs))
            if waits and self._clock() - image.first < self._store.limits.patience:
                return _Later(error.retry_after or 5, whole_key=False)
            return failed(image.number, image.page, error.code, error.message)
        except Exception as error:
            log.error("%s image %d: unexpected %s", image.job.id, image.place, type(error).__name__)
            return failed(image.number, image.page, "internal", "An internal error.")

    async def _read(self, image: Image) -> JobResult:
        key = self._ring.of_owner(image.job.owner)
        if key is None:
            raise Forbidden("The key of this job was revoked, or its time is over.")
        if image.data is None:
            raise FrontError("The image was encrypted with a key that is gone.")
        if image.tries > _MOST_TRIES:
            raise FrontError("The service ended each time it read this image.")
        with self._limiter.admit(key, background=True) as used, working(Work(key.id, background=True)):
            name, sent = f"{image.job.id}-{image.place}", Sent(image.data, image.page)
            answer = (await self._pipeline.extract(name, sent, image.job.document, image.job.model)).body
            used.tokens = sum(answer.usage.values())
        return JobResult(number=image.number, page=image.page, answer=shown(answer, left_out(image.job.include)))


def failed(number: int, page: int, code: str, message: str) -> JobResult:
    """The result of a picture that was not read."""
    return JobResult(number=number, page=page, error=JobError(code=code, message=message))
