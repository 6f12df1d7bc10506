"""What `/v1/jobs` answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

State = Literal["queued", "running", "done"]


class JobError(BaseModel):
    """The code and the sentence that `/v1/extract` would have answered with."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str


class JobResult(BaseModel):
    """One picture: an answer as `/v1/extract` gives it, or an error.

    number: its file's place in the form; page: in that file, from 1.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    page: int = 1
    answer: dict[str, Any] | None = None
    error: JobError | None = None


class JobSummary(BaseModel):
    """One job. Counted from its completion it is kept until `expires_at`, which is null before."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: State
    document: str
    model: str
    total: int
    done: int
    failed: int
    created_at: datetime
    expires_at: datetime | None


class JobAnswer(JobSummary):
    """`results`: some of what is there so far, in order; `next`: where to go on (`?from=`), if anywhere."""

    results: list[JobResult]
    next: int | None


class JobList(BaseModel):
    """`GET /v1/jobs`: the newest first; `next`: where to go on (`?before=`), if anywhere."""

    model_config = ConfigDict(frozen=True)

    jobs: list[JobSummary]
    next: str | None
