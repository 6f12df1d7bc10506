"""The end of what is kept: pictures that waited too long, jobs and answers whose time is over."""

from collections.abc import Callable

from ocr_frontend.jobs.database import Execute
from ocr_frontend.jobs.kept import Kept, delete_job, settle
from ocr_frontend.jobs.tables import Counts


class Sweeping(Kept):
    """Retention, and what there is to count of it."""

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
                settle(execute, job, now)
            expired = [row[0] for row in execute("SELECT id FROM cni_jobs WHERE expires <= ?", (now,))]
            for job in expired:
                delete_job(execute, job)
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

    async def counts(self) -> Counts:
        """Of all jobs."""

        def work(execute: Execute) -> Counts:
            [(jobs,)] = execute("SELECT count(*) FROM cni_jobs")
            [(images,)] = execute("SELECT count(*) FROM cni_images WHERE lease <= ?", (self._clock(),))
            [(size,)] = execute("SELECT coalesce(sum(size), 0) FROM cni_files")
            [(oldest,)] = execute("SELECT min(created) FROM cni_jobs WHERE finished IS NULL")
            return Counts(jobs, images, int(size), 0.0 if oldest is None else max(0.0, self._clock() - oldest))

        return await self._database.run(work)
