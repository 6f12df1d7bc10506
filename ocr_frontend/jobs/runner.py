"""Reads the images of jobs beside the requests of people, who come first: a job waits while the service is busy."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.api.schemas import Extraction
from ocr_frontend.auth.keys import Key
from ocr_frontend.auth.limits import Limiter
from ocr_frontend.auth.work import Work, working
from ocr_frontend.documents.registry import Document
from ocr_frontend.errors import Busy, FrontError, RateLimited, Unavailable
from ocr_frontend.extraction.pipeline import Pipeline
from ocr_frontend.jobs.bodies import JobError, JobResult, State
from ocr_frontend.jobs.bounds import Bounds
from ocr_frontend.jobs.store import Job, Store

log = logging.getLogger("ocr_frontend")
_SWEEP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Image:
    job: str
    number: int
    key: Key
    data: bytes
    document: Document | None
    model: str


class Runner:
    """`start()` opens the workers, `close()` ends them; what they had not read is lost, and the job says so."""

    def __init__(self, pipeline: Pipeline, limiter: Limiter, store: Store, bounds: Bounds, workers: int) -> None:
        self._pipeline, self._limiter, self._store = pipeline, limiter, store
        self.bounds, self._workers = bounds, workers
        self._queue: asyncio.Queue[_Image] = asyncio.Queue()
        self._reading: dict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._left: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.waiting_bytes = 0

    @property
    def waiting(self) -> int:
        """Images of jobs that nobody reads yet."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to read and to sweep."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        self._tasks.append(asyncio.create_task(self._sweep()))

    async def close(self) -> None:
        """End the workers and close the store."""
        tasks = [*self._tasks, *(task for tasks in self._reading.values() for task in tasks)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._store.close()

    def require_room(self, size: int = 0) -> None:
        """Raises Busy when another job, of `size` bytes, is more than is taken."""
        if len(self._store) >= self.bounds.kept:
            raise Busy("The service keeps as many jobs as it takes; delete one, or wait until one expires.")
        if self.waiting_bytes + size > self.bounds.waiting:
            raise Busy("The images of other jobs still wait; try again when they are read.")

    def submit(
        self, job_id: str, key: Key, images: Sequence[bytes], document: Document | None, name: str, model: str
    ) -> Job:
        """Queue every image. `name`: the document as asked for. Raises Busy."""
        self.require_room(sum(map(len, images)))
        job = self._store.add(job_id, key.id, name, model, len(images))
        self._left[job_id] = len(images)
        for number, data in enumerate(images):
            self.waiting_bytes += len(data)
            self._queue.put_nowait(_Image(job_id, number, key, data, document, model))
        return job

    def state(self, job: Job, done: int) -> State:
        """How far a job is."""
        if done >= job.total:
            return "done"
        if job.id not in self._left:
            return "interrupted"
        return "running" if done or self._reading.get(job.id) else "queued"

    def delete(self, job_id: str) -> None:
        """Forget a job: its results, and its images, read or not."""
        self._store.delete(job_id)
        self._left.pop(job_id, None)
        for task in self._reading.pop(job_id, set()):
            task.cancel()
        keep = [image for image in _drained(self._queue) if image.job != job_id]
        for image in keep:
            self._queue.put_nowait(image)
        self.waiting_bytes = sum(len(image.data) for image in keep)

    async def _work(self) -> None:
        while True:
            image = await self._queue.get()
            self.waiting_bytes -= len(image.data)
            task = asyncio.create_task(self._finish(image))
            self._reading[image.job].add(task)
            del image  # the picture's bytes go with its task
            await asyncio.gather(task, return_exceptions=True)
            del task

    async def _finish(self, image: _Image) -> None:
        task = asyncio.current_task()
        try:
            result = JobResult(number=image.number, answer=await self._patiently(image))
        except FrontError as error:
            result = JobResult(number=image.number, error=JobError(code=error.code, message=error.message))
        except Exception as error:
            log.error("%s image %d: unexpected %s", image.job, image.number, type(error).__name__)
            result = JobResult(number=image.number, error=JobError(code="internal", message="An internal error."))
        finally:
            if task is not None and image.job in self._reading:
                self._reading[image.job].discard(task)
        self._store.put(image.job, image.number, result.model_dump(mode="json"))
        self._left[image.job] = self._left.get(image.job, 1) - 1
        if self._left[image.job] <= 0:
            self._left.pop(image.job)
            self._reading.pop(image.job, None)

    async def _patiently(self, image: _Image) -> Extraction:
        ends = asyncio.get_running_loop().time() + self.bounds.patience
        while True:
            try:
                with self._limiter.admit(image.key) as used, working(Work(image.key.id, background=True)):
                    name = f"{image.job}-{image.number}"
                    answer = await self._pipeline.extract(name, image.data, image.document, image.model)
                    used.tokens = sum(answer.usage.values())
                    return answer
            except (Unavailable, RateLimited) as error:
                pause = error.retry_after or 1
                if asyncio.get_running_loop().time() + pause > ends:
                    raise
            await asyncio.sleep(pause)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            for job_id in self._store.sweep():
                with contextlib.suppress(KeyError):
                    self.delete(job_id)


def _drained(queue: asyncio.Queue[_Image]) -> list[_Image]:
    return [queue.get_nowait() for _ in range(queue.qsize())]
