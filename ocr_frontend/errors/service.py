"""What the sender cannot change, but a later try may."""

from ocr_frontend.errors.base import FrontError


class InvalidAnswer(FrontError):
    """The model's answer has not the form that was asked for."""

    status, code = 502, "invalid_answer"


class Unavailable(FrontError):
    """Not now; the same request may succeed later."""

    status, code, retry_after = 503, "unavailable", 2


class Busy(Unavailable):
    """The OCR queue is full."""

    code, retry_after = "busy", 1


class OcrUnavailable(Unavailable):
    """The OCR models are not there or not loaded yet."""

    code, retry_after = "ocr_unavailable", 5


class JobStoreAway(Unavailable):
    """The database of jobs cannot be used now."""

    code, retry_after = "jobs_unavailable", 5


class ModelServerAway(Unavailable):
    """The model server refuses connections or answers with a 5xx."""

    code, retry_after = "model_server_away", 5


class ModelServerRefuses(ModelServerAway):
    """It answers, but not in a way that another try would change: a key that it does not accept, a senseless body."""


class DeadlineExceeded(FrontError):
    """A stage took longer than its deadline."""

    status, code = 504, "deadline_exceeded"


class ModelServerHangs(DeadlineExceeded):
    """It took a request and did not answer in all the time that such a request has: a failure of the server."""
