"""Jobs as they are kept: files until their pages are read, results until they expire."""

from collections.abc import Sequence
from dataclasses import replace

from ocr_frontend.errors import Busy, RateLimited, Unprocessable
from ocr_frontend.jobs.callback_times import CallbackTimes
from ocr_frontend.jobs.database import Execute
from ocr_frontend.jobs.kept import delete_job
from ocr_frontend.jobs.picture_queue import LEASE, PictureQueue
from ocr_frontend.jobs.sweeping import Sweeping
from ocr_frontend.jobs.tables import JOB, Job, Progress

__all__ = ["LEASE", "JobStore"]


class JobStore(PictureQueue, Sweeping, CallbackTimes):
    """All of it; here how jobs come, are asked for and go. One of any number over one database."""

    async def add(
        self, job: Job, files: Sequence[bytes], pages: Sequence[tuple[int, int]], idempotency: str | None, digest: str
    ) -> Job:
        """Keep a job with its files; pages: (file, page) of each picture. Gives the job that is there already where the
        same request was sent before under this idempotency key.

        Raises RateLimited or Busy where there is no room, Unprocessable where the key was used for something else.
        """
        closed = [self._cipher.close(data, f"{job.id}/{number}") for number, data in enumerate(files)]
        size, now = sum(map(len, files)), self._clock()

        def work(execute: Execute) -> Job:
            if idempotency is not None:
                rows = execute(
                    f"SELECT {JOB}, digest FROM cni_jobs WHERE owner = ? AND idempotency = ?", (job.owner, idempotency)
                )
                if rows:
                    return _same(rows[0], digest)
            self._require_room(execute, job.owner, size)
            execute(
                f"INSERT INTO cni_jobs ({JOB}, idempotency, digest, callback_tries)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?, ?, ?, 0)",
                (job.id, job.owner, job.document, job.model, job.include, len(pages), now, job.retention, job.once,
                 job.callback, idempotency, digest),
            )  # fmt: skip
            for number, (data, body) in enumerate(zip(files, closed, strict=True)):
                execute("INSERT INTO cni_files VALUES (?, ?, ?, ?)", (job.id, number, len(data), body))
            for place, (number, page) in enumerate(pages):
                execute("INSERT INTO cni_images VALUES (?, ?, ?, ?, 0, 0, '', 0, NULL)", (job.id, place, number, page))
            return replace(job, total=len(pages), created=now)

        return await self._database.run(work)

    def _require_room(self, execute: Execute, owner: str, size: int) -> None:
        [(running,)] = execute("SELECT count(*) FROM cni_jobs WHERE owner = ? AND finished IS NULL", (owner,))
        if running >= self.limits.running:
            raise RateLimited(
                f"This key may have {self.limits.running} jobs that are not done; wait or delete one.", 30
            )
        [(waiting,)] = execute("SELECT coalesce(sum(size), 0) FROM cni_files")
        [(own,)] = execute(
            "SELECT coalesce(sum(size), 0) FROM cni_files WHERE job IN (SELECT id FROM cni_jobs WHERE owner = ?)",
            (owner,),
        )
        if own + size > self.limits.key_waiting:
            raise RateLimited(f"This key may have {self.limits.key_waiting} bytes of images waiting in jobs.", 30)
        if waiting + size > self.limits.waiting:
            raise Busy("The images of other jobs still wait; try again when they are read.")

    async def find(self, job_id: str, owner: str) -> Job | None:
        """None where there is none of this owner, or where its time is over."""
        rows = await self._database.run(
            lambda execute: execute(
                f"SELECT {JOB} FROM cni_jobs WHERE id = ? AND owner = ? AND (expires IS NULL OR expires > ?)",
                (job_id, owner, self._clock()),
            )
        )
        return Job(*rows[0]) if rows else None

    async def listed(self, owner: str, before: str | None, limit: int) -> list[Job]:
        """The newest first; `before`: only older ones than this id."""
        rows = await self._database.run(
            lambda execute: execute(
                f"SELECT {JOB} FROM cni_jobs WHERE owner = ? AND id < ? AND (expires IS NULL OR expires > ?)"
                " ORDER BY id DESC LIMIT ?",
                (owner, before or "~", self._clock(), limit),
            )
        )
        return [Job(*row) for row in rows]

    async def progress(self, job_id: str) -> Progress:
        """How far a job is."""

        def work(execute: Execute) -> Progress:
            [(done, failed)] = execute(
                "SELECT count(*), coalesce(sum(failed), 0) FROM cni_results WHERE job = ?", (job_id,)
            )
            [(reading,)] = execute(
                "SELECT count(*) FROM cni_images WHERE job = ? AND lease > ?", (job_id, self._clock())
            )
            return Progress(done, int(failed), reading)

        return await self._database.run(work)

    async def results(self, job_id: str, first: int, limit: int) -> list[tuple[int, bytes]]:
        """(place, body) in order, from a place on."""

        def work(execute: Execute) -> list[tuple[int, bytes]]:
            rows = execute(
                "SELECT place, body FROM cni_results WHERE job = ? AND place >= ? ORDER BY place LIMIT ?",
                (job_id, first, limit),
            )
            return [(place, self._cipher.open(bytes(body), f"{job_id}#{place}")) for place, body in rows]

        return await self._database.run(work)

    async def delete(self, job_id: str) -> None:
        """Take a job, its files and its results away."""
        await self._database.run(lambda execute: delete_job(execute, job_id))

    async def close(self) -> None:
        """What has not expired stays."""
        await self._database.close()


def _same(row: tuple[object, ...], digest: str) -> Job:
    *job, before = row
    if before != digest:
        raise Unprocessable("This `Idempotency-Key` was used for another request; send a new one.")
    return Job(*job)  # type: ignore[arg-type]
