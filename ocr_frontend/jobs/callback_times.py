"""When a job's caller is told: whose time has come, and when it is tried again."""

from ocr_frontend.jobs.database import Execute
from ocr_frontend.jobs.kept import Kept
from ocr_frontend.jobs.tables import JOB, Job


class CallbackTimes(Kept):
    """The columns of jobs that say so."""

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
