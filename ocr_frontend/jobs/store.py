"""Jobs as they are kept: files until their pages are read, results until they expire, whose turn it is."""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from ocr_frontend.errors import Busy, RateLimited, Unprocessable
from ocr_frontend.jobs.bounds import JobLimits
from ocr_frontend.jobs.cipher import Cipher, CipherError
from ocr_frontend.jobs.database import Database, Execute
from ocr_frontend.jobs.tables import JOB, Counts, Image, Job, Progress

LEASE = 60.0  # seconds that a worker has a picture for itself; it renews them while it reads


class JobStore:
    """One of any number over one database. `clock`: seconds since 1970."""

    def __init__(
        self, database: Database, cipher: Cipher, limits: JobLimits, clock: Callable[[], float] = time.time
    ) -> None:
        self._database, self._cipher, self.limits, self._clock = database, cipher, limits, clock
        self._worker = secrets.token_hex(8)

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

    async def claim(self) -> Image | None:
        """The next picture: of the key whose turn was longest ago. None where nothing waits."""
        now = self._clock()

        def work(execute: Execute) -> tuple[Image, bytes] | None:
            rows = execute(
                "SELECT i.job, i.place, i.number, i.page, i.tries, i.first, j.owner FROM cni_images i"
                " JOIN cni_jobs j ON j.id = i.job LEFT JOIN cni_turns t ON t.owner = j.owner"
                " WHERE i.not_before <= ? AND i.lease <= ? ORDER BY coalesce(t.last, 0), j.created, i.place LIMIT 1"
                + self._database.skip_locked,
                (now, now),
            )
            if not rows:
                return None
            job, place, number, page, tries, first, owner = rows[0]
            execute(
                "UPDATE cni_images SET lease = ?, worker = ?, tries = tries + 1, first = coalesce(first, ?)"
                " WHERE job = ? AND place = ?",
                (now + LEASE, self._worker, now, job, place),
            )
            execute(
                "INSERT INTO cni_turns VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET last = excluded.last",
                (owner, self._clock()),
            )
            [row] = execute(f"SELECT {JOB} FROM cni_jobs WHERE id = ?", (job,))
            [(body,)] = execute("SELECT body FROM cni_files WHERE job = ? AND number = ?", (job, number))
            return Image(Job(*row), place, number, page, tries + 1, first or now, None), bytes(body)

        found = await self._database.run(work)
        if found is None:
            return None
        image, body = found
        with suppress(CipherError):
            image = replace(image, data=self._cipher.open(body, f"{image.job.id}/{image.number}"))
        return image

    async def renew(self, image: Image) -> bool:
        """Keep a picture for another while. False where it is no longer this worker's: its job was deleted."""
        return await self._database.run(
            lambda execute: bool(
                execute(
                    "UPDATE cni_images SET lease = ? WHERE job = ? AND place = ? AND worker = ? RETURNING place",
                    (self._clock() + LEASE, image.job.id, image.place, self._worker),
                )
            )
        )

    async def put_back(self, image: Image, seconds: float, *, whole_key: bool) -> None:
        """Not now: try again after `seconds`, and with `whole_key` everything else of its key too."""
        later = self._clock() + seconds

        def work(execute: Execute) -> None:
            execute(
                "UPDATE cni_images SET lease = 0, worker = '', tries = tries - 1, not_before = ?"
                " WHERE job = ? AND place = ? AND worker = ?",
                (later, image.job.id, image.place, self._worker),
            )
            if whole_key:
                execute(
                    "UPDATE cni_images SET not_before = ? WHERE lease = 0"
                    " AND job IN (SELECT id FROM cni_jobs WHERE owner = ?)",
                    (later, image.job.owner),
                )

        await self._database.run(work)

    async def finish(self, image: Image, body: bytes, *, failed: bool) -> bool:
        """Keep a result and let its picture go. True where it was the job's last. A deleted job takes none."""
        closed = self._cipher.close(body, f"{image.job.id}#{image.place}")

        def work(execute: Execute) -> bool:
            mine = execute(
                "DELETE FROM cni_images WHERE job = ? AND place = ? AND worker = ? RETURNING place",
                (image.job.id, image.place, self._worker),
            )
            if not mine:
                return False
            execute("INSERT INTO cni_results VALUES (?, ?, ?, ?)", (image.job.id, image.place, int(failed), closed))
            return _settle(execute, image.job.id, self._clock())

        return await self._database.run(work)

    async def give_back(self) -> None:
        """Of a front that ends: what it was reading is free for others at once."""
        await self._database.run(
            lambda execute: execute("UPDATE cni_images SET lease = 0, worker = '' WHERE worker = ?", (self._worker,))
        )

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
        await self._database.run(lambda execute: _delete(execute, job_id))

    async def counts(self) -> Counts:
        """Of all jobs."""

        def work(execute: Execute) -> Counts:
            [(jobs,)] = execute("SELECT count(*) FROM cni_jobs")
            [(images,)] = execute("SELECT count(*) FROM cni_images WHERE lease <= ?", (self._clock(),))
            [(size,)] = execute("SELECT coalesce(sum(size), 0) FROM cni_files")
            [(oldest,)] = execute("SELECT min(created) FROM cni_jobs WHERE finished IS NULL")
            return Counts(jobs, images, int(size), 0.0 if oldest is None else max(0.0, self._clock() - oldest))

        return await self._database.run(work)

    async def sweep(self, given_up: Callable[[int, int], bytes]) -> list[str]:
        """Delete what has expired; the ids. Pictures that waited too long end with `given_up(number, page)`."""
        now = self._clock()

        def work(execute: Execute) -> list[str]:
            late = execute(
                "SELECT i.job, i.place, i.number, i.page FROM cni_images i JOIN cni_jobs j ON j.id = i.job"
                " WHERE j.created <= ? AND i.lease <= ?",
                (now - self.limits.wait, now),
            )
            for job, place, number, page in late:
                body = self._cipher.close(given_up(number, page), f"{job}#{place}")
                execute("DELETE FROM cni_images WHERE job = ? AND place = ?", (job, place))
                execute("INSERT INTO cni_results VALUES (?, ?, 1, ?)", (job, place, body))
                _settle(execute, job, now)
            expired = [row[0] for row in execute("SELECT id FROM cni_jobs WHERE expires <= ?", (now,))]
            for job in expired:
                _delete(execute, job)
            execute(
                "DELETE FROM cni_corrections WHERE EXISTS (SELECT 1 FROM cni_answers a WHERE a.expires <= ?"
                " AND a.owner = cni_corrections.owner AND a.id = cni_corrections.answer)",
                (now,),
            )
            execute("DELETE FROM cni_answers WHERE expires <= ?", (now,))
            execute("DELETE FROM cni_turns WHERE last < ?", (now - self.limits.wait,))
            return expired

        expired = await self._database.run(work)
        await self._database.tidy()
        return expired

    async def due_callback(self, lease: float) -> tuple[Job, int] | None:
        """A job whose caller is to be told now, and which try it is; nobody else gets it for `lease` seconds."""
        now = self._clock()

        def work(execute: Execute) -> tuple[Job, int] | None:
            rows = execute(
                f"SELECT {JOB}, callback_tries FROM cni_jobs i WHERE callback_at <= ? ORDER BY callback_at LIMIT 1"
                + self._database.skip_locked,
                (now,),
            )
            if not rows:
                return None
            *row, tries = rows[0]
            execute(
                "UPDATE cni_jobs SET callback_at = ?, callback_tries = callback_tries + 1 WHERE id = ?",
                (now + lease, row[0]),
            )
            return Job(*row), tries + 1

        return await self._database.run(work)

    async def callback_later(self, job_id: str, seconds: float | None) -> None:
        """When the caller is told again; None: never, it was told or cannot be."""
        at = None if seconds is None else self._clock() + seconds
        await self._database.run(
            lambda execute: execute("UPDATE cni_jobs SET callback_at = ? WHERE id = ?", (at, job_id))
        )

    async def close(self) -> None:
        """What has not expired stays."""
        await self._database.close()


def _same(row: tuple[object, ...], digest: str) -> Job:
    *job, before = row
    if before != digest:
        raise Unprocessable("This `Idempotency-Key` was used for another request; send a new one.")
    return Job(*job)  # type: ignore[arg-type]


def _settle(execute: Execute, job: str, now: float) -> bool:
    """Let go of files that are read, and count the retention from here where it was the job's last picture."""
    execute(
        "UPDATE cni_jobs SET total = total WHERE id = ?", (job,)
    )  # two fronts at a job's end go one after the other
    execute(
        "DELETE FROM cni_files WHERE job = ? AND number NOT IN (SELECT number FROM cni_images WHERE job = ?)",
        (job, job),
    )
    [(left,)] = execute("SELECT count(*) FROM cni_images WHERE job = ?", (job,))
    if left:
        return False
    execute(
        "UPDATE cni_jobs SET finished = ?, expires = ? + retention,"
        " callback_at = CASE WHEN callback IS NULL THEN NULL ELSE ? END WHERE id = ? AND finished IS NULL",
        (now, now, now, job),
    )
    return True


def _delete(execute: Execute, job: str) -> None:
    for table in ("cni_files", "cni_images", "cni_results"):
        execute(f"DELETE FROM {table} WHERE job = ?", (job,))
    execute("DELETE FROM cni_jobs WHERE id = ?", (job,))
