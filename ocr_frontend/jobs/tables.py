"""The tables of jobs, and what a row of them is. BYTES and NUMBER are each database's own types."""

from dataclasses import dataclass

TABLES = """
CREATE TABLE IF NOT EXISTS cni_jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, document TEXT NOT NULL, model TEXT NOT NULL, include TEXT,
    total INTEGER NOT NULL, created NUMBER NOT NULL, finished NUMBER, expires NUMBER, retention NUMBER NOT NULL,
    once INTEGER NOT NULL, callback TEXT, callback_at NUMBER, callback_tries INTEGER NOT NULL DEFAULT 0,
    idempotency TEXT, digest TEXT, UNIQUE (owner, idempotency));
CREATE TABLE IF NOT EXISTS cni_files (
    job TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, body BYTES NOT NULL, PRIMARY KEY (job, number));
CREATE TABLE IF NOT EXISTS cni_images (
    job TEXT NOT NULL, place INTEGER NOT NULL, number INTEGER NOT NULL, page INTEGER NOT NULL,
    not_before NUMBER NOT NULL, lease NUMBER NOT NULL, worker TEXT NOT NULL, tries INTEGER NOT NULL, first NUMBER,
    PRIMARY KEY (job, place));
CREATE TABLE IF NOT EXISTS cni_results (
    job TEXT NOT NULL, place INTEGER NOT NULL, failed INTEGER NOT NULL, body BYTES NOT NULL, PRIMARY KEY (job, place));
CREATE TABLE IF NOT EXISTS cni_answers (
    owner TEXT NOT NULL, id TEXT NOT NULL, expires NUMBER NOT NULL, body BYTES NOT NULL, PRIMARY KEY (owner, id));
CREATE TABLE IF NOT EXISTS cni_corrections (
    owner TEXT NOT NULL, answer TEXT NOT NULL, number INTEGER NOT NULL, body BYTES NOT NULL,
    PRIMARY KEY (owner, answer, number));
CREATE TABLE IF NOT EXISTS cni_turns (owner TEXT PRIMARY KEY, last NUMBER NOT NULL);
"""
JOB = "id, owner, document, model, include, total, created, finished, expires, retention, once, callback"


@dataclass(frozen=True, slots=True)
class Job:
    """`owner`: of the key that made it. Times are seconds since 1970; `expires`, `finished`: None before it is done.

    retention: seconds that results are kept; once: they go when they were fetched; include: parts of the answers.
    """

    id: str
    owner: str
    document: str
    model: str
    include: str | None
    total: int
    created: float
    finished: float | None
    expires: float | None
    retention: float
    once: int
    callback: str | None


@dataclass(frozen=True, slots=True)
class Image:
    """One picture to read: a page of the file at `number` in the form. tries: how often it was begun; first: when.

    data: of the whole file; None where no key opens it.
    """

    job: Job
    place: int
    number: int
    page: int
    tries: int
    first: float
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one job: pictures read, failed among them, being read now."""

    done: int
    failed: int
    reading: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Of all jobs: kept, pictures that nobody reads yet, bytes of files that wait, seconds that the oldest waits."""

    jobs: int = 0
    images: int = 0
    bytes: int = 0
    oldest: float = 0.0
