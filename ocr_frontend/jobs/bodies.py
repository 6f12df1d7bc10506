"""What `/v1/jobs` answers."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ocr_frontend.api.schemas import Extraction

# interrupted: the service was restarted before all images were read, and images are kept in memory only.
State = Literal["queued", "running", "done", "interrupted"]


class JobError(BaseModel):
    """The code and the sentence that `/v1/extract` would have answered with."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str


class JobResult(BaseModel):
    """One image, by its place in the form: an answer or an error."""

    model_config = ConfigDict(frozen=True)

    number: int
    answer: Extraction | None = None
    error: JobError | None = None


class JobAnswer(BaseModel):
    """One job. `results` holds what is there so far; with `expires_at` everything of it is gone."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: State
    document: str
    model: str
    total: int
    done: int
    failed: int
    expires_at: datetime
    results: list[JobResult]
