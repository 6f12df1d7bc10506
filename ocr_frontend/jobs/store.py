"""Results of jobs in SQLite, in memory or in one file, until they expire or are deleted.

Nothing outlives its deletion: deleted pages are overwritten (`secure_delete`), and neither a journal nor a temporary
file is written beside the database.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, document TEXT NOT NULL, model TEXT NOT NULL,
    total INTEGER NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS results (
    job TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, number));
"""


@dataclass(frozen=True, slots=True)
class Job:
    """`owner`: the id of the key that made it; `expires`: seconds since 1970."""

    id: str
    owner: str
    document: str
    model: str
    total: int
    expires: float


class Store:
    """path: None keeps everything in memory. seconds: how long a job is kept after its last result."""

    def __init__(self, path: Path | None, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._seconds, self._clock = seconds, clock
        if path is not None:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(
            ":memory:" if path is None else path,
            isolation_level=None,
            check_same_thread=False,  # built in one thread, used by the event loop alone
        )
        for pragma in ("journal_mode=MEMORY", "secure_delete=ON", "temp_store=MEMORY"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_TABLES)
        self.sweep()

    def __len__(self) -> int:
        [(count,)] = self._db.execute("SELECT count(*) FROM jobs")
        return int(count)

    def add(self, job_id: str, owner: str, document: str, model: str, total: int) -> Job:
        """A job without results."""
        job = Job(job_id, owner, document, model, total, self._clock() + self._seconds)
        row = (job.id, job.owner, job.document, job.model, job.total, job.expires)
        self._db.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?)", row)
        return job

    def find(self, job_id: str) -> Job | None:
        """None where there is none, or where its time is over."""
        row = self._db.execute("SELECT * FROM jobs WHERE id = ? AND expires > ?", (job_id, self._clock())).fetchone()
        return None if row is None else Job(*row)

    def put(self, job_id: str, number: int, body: dict[str, Any]) -> None:
        """Keep one result. A job that was deleted meanwhile takes none."""
        if self.find(job_id) is None:
            return
        text = json.dumps(body, ensure_ascii=False)
        self._db.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", (job_id, number, text))
        self._db.execute("UPDATE jobs SET expires = ? WHERE id = ?", (self._clock() + self._seconds, job_id))

    def results(self, job_id: str) -> dict[int, dict[str, Any]]:
        """By the image's number."""
        rows = self._db.execute("SELECT number, body FROM results WHERE job = ? ORDER BY number", (job_id,))
        return {number: json.loads(body) for number, body in rows}

    def delete(self, job_id: str) -> None:
        """Take a job and its results away."""
        self._db.execute("DELETE FROM results WHERE job = ?", (job_id,))
        self._db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def sweep(self) -> list[str]:
        """Delete what has expired; the ids."""
        expired = [row[0] for row in self._db.execute("SELECT id FROM jobs WHERE expires <= ?", (self._clock(),))]
        for job_id in expired:
            self.delete(job_id)
        return expired

    def close(self) -> None:
        """Close the file; it stays, with what has not expired."""
        self._db.close()
