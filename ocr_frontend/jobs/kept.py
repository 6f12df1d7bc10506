"""What all parts of the job store stand on: the database, the cipher, the limits, the clock, and a job's end."""

import secrets
import time
from collections.abc import Callable

from ocr_frontend.jobs.bounds import JobLimits
from ocr_frontend.jobs.cipher import Cipher
from ocr_frontend.jobs.database import Database, Execute


class Kept:
    """One of any number over one database. `clock`: seconds since 1970."""

    def __init__(
        self, database: Database, cipher: Cipher, limits: JobLimits, clock: Callable[[], float] = time.time
    ) -> None:
        self._database, self._cipher, self.limits, self._clock = database, cipher, limits, clock
        self._worker = secrets.token_hex(8)


def settle(execute: Execute, job: str, now: float) -> bool:
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


def delete_job(execute: Execute, job: str) -> None:
    for table in ("cni_files", "cni_images", "cni_results"):
        execute(f"DELETE FROM {table} WHERE job = ?", (job,))
    execute("DELETE FROM cni_jobs WHERE id = ?", (job,))
