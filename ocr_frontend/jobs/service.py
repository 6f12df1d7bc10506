"""What jobs are made of, built once: the store, the runner, the sweep, and who is told."""

import asyncio
import sqlite3
import time
from dataclasses import dataclass, field

import httpx

from ocr_frontend.auth.keys import KeyRing
from ocr_frontend.auth.limits import Limiter
from ocr_frontend.extraction.pipeline import Pipeline
from ocr_frontend.jobs.bounds import JobLimits
from ocr_frontend.jobs.callbacks import Callbacks
from ocr_frontend.jobs.cipher import Cipher, read_cipher
from ocr_frontend.jobs.corrections import Corrections
from ocr_frontend.jobs.database import Database, PostgresDatabase, SqliteDatabase
from ocr_frontend.jobs.retention import Retention
from ocr_frontend.jobs.runner import Runner
from ocr_frontend.jobs.store import JobStore
from ocr_frontend.jobs.tables import TABLES
from ocr_frontend.observability.access_log import AccessLog
from ocr_frontend.observability.metrics import Metrics
from ocr_frontend.ocr.pool import OcrPool
from ocr_frontend.settings import PREFIX, Settings, SettingsError

_SWEEP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Jobs:
    """The parts, started and closed together."""

    store: JobStore
    runner: Runner
    retention: Retention
    callbacks: Callbacks
    http: httpx.AsyncClient
    corrections: Corrections | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to read, to sweep and to tell."""
        self.runner.start()
        self.tasks.append(asyncio.create_task(self.retention.run()))
        self.tasks.append(asyncio.create_task(self.callbacks.run()))

    async def close(self) -> None:
        """End all of it; what is not read stays where it is kept."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.runner.close()
        await self.http.aclose()
        await self.store.close()


def build_jobs(
    settings: Settings,
    pipeline: Pipeline,
    pool: OcrPool,
    limiter: Limiter,
    ring: KeyRing,
    metrics: Metrics,
    access: AccessLog,
) -> Jobs | None:
    """None where jobs are off: several fronts without a store that they share. Raises SettingsError."""
    if settings.jobs_database is None and not settings.jobs_embedded:
        return None
    database, cipher = _database(settings), _cipher(settings)
    store = JobStore(database, cipher, _limits(settings))
    corrections = Corrections(database, cipher, settings.corrections_seconds) if settings.corrections else None
    runner = Runner(pipeline, pool, limiter, ring, store, settings.ocr_workers)
    http = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=httpx.Timeout(10.0))
    callbacks = Callbacks(store, ring, http, private=settings.callback_private)
    retention = Retention(store, access, min(_SWEEP_SECONDS, settings.jobs_seconds))
    metrics.watch("jobs", "Jobs that are kept", lambda: retention.counts.jobs)
    metrics.watch("job_images_waiting", "Images of jobs that nobody reads yet", lambda: retention.counts.images)
    metrics.watch("job_bytes_waiting", "Bytes of files that wait in jobs", lambda: retention.counts.bytes)
    metrics.watch("job_oldest_seconds", "Age of the oldest job that is not done", lambda: retention.counts.oldest)
    metrics.count("job_sweep_failures", "Sweeps of expired jobs that failed", lambda: retention.failures)
    metrics.watch(
        "job_sweep_age_seconds", "Since a sweep of expired jobs succeeded", lambda: time.time() - retention.last
    )
    metrics.count("job_callback_failures", "Calls of a callback_url that failed", lambda: callbacks.failures)
    return Jobs(store, runner, retention, callbacks, http, corrections)


def _limits(settings: Settings) -> JobLimits:
    return JobLimits(
        images=settings.jobs_images,
        running=settings.jobs_kept,
        waiting=settings.jobs_bytes,
        key_waiting=settings.jobs_key_bytes,
        retention=settings.jobs_seconds,
        wait=settings.jobs_wait_seconds,
        patience=settings.jobs_patience,
    )


def _cipher(settings: Settings) -> Cipher:
    if settings.jobs_key is None:
        return Cipher()
    try:
        return read_cipher(settings.jobs_key.get_secret_value())
    except ValueError as error:
        raise SettingsError(f"{PREFIX}JOBS_KEY: {error}") from None


def _database(settings: Settings) -> Database:
    if settings.jobs_database is not None:
        try:
            import psycopg  # noqa: F401
        except ImportError:
            raise SettingsError(
                f"{PREFIX}JOBS_DATABASE is set, but psycopg is not installed: pip install 'cni-lora-server[front]'."
            ) from None
        return PostgresDatabase(settings.jobs_database.get_secret_value(), TABLES)
    try:
        return SqliteDatabase(settings.jobs_file, TABLES)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(
            f"{PREFIX}JOBS_FILE: {settings.jobs_file} cannot be used ({type(error).__name__})"
        ) from None
