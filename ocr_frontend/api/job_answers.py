"""What `/v1/jobs` answers with, put together from what is kept: results pass through as they are, unparsed."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from ocr_frontend.api.uploads import Upload
from ocr_frontend.jobs.bodies import JobSummary, State
from ocr_frontend.jobs.store import JobStore
from ocr_frontend.jobs.tables import Job, Progress


@dataclass(frozen=True, slots=True)
class Body:
    """JSON; `last`: whether the job is done and nothing of it comes after this."""

    text: bytes
    last: bool


async def answered(store: JobStore, job: Job, first: int, limit: int) -> Body:
    """A JobAnswer of a job, with up to `limit` results from the place `first` on."""
    told = summary(job, await store.progress(job.id))
    results = await store.results(job.id, first, limit + 1)
    following = results[limit][0] if len(results) > limit else None
    head = told.model_dump_json().encode().removesuffix(b"}")
    bodies = b",".join(body for _, body in results[:limit])
    end = b"null" if following is None else str(following).encode()
    text = head + b',"results":[' + bodies + b'],"next":' + end + b"}"
    return Body(text, told.state == "done" and following is None)


def summary(job: Job, progress: Progress) -> JobSummary:
    """How far a job is, without its results."""
    state: State = "running" if progress.done or progress.reading else "queued"
    if job.finished is not None:
        state = "done"
    return JobSummary(
        id=job.id,
        state=state,
        document=job.document,
        model=job.model,
        total=job.total,
        done=progress.done,
        failed=progress.failed,
        created_at=datetime.fromtimestamp(job.created, UTC),
        expires_at=None if job.expires is None else datetime.fromtimestamp(job.expires, UTC),
    )


def digest_of(form: Upload) -> str:
    """What tells one request from another: its fields and files."""
    digest = hashlib.sha256(repr(sorted(form.fields.items())).encode())
    for data in form.files["image"]:
        digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()
