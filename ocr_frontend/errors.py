"""Everything that this package raises, and what a client sees of it.

    FrontError                     500  internal
    ├── BadRequest                 400  bad_request
    │   └── UnreadableImage        400  unreadable_image
    ├── Unauthorized               401  unauthorized
    ├── NotFound                   404  not_found
    ├── MethodNotAllowed           405  method_not_allowed
    ├── ImageTooLarge              413  image_too_large
    ├── NotAnImage                 415  not_an_image
    ├── Unprocessable              422  unprocessable
    │   ├── UnknownDocument        422  unknown_document
    │   ├── UnknownModel           422  unknown_model
    │   ├── UnknownPicture         422  document_not_recognised
    │   └── NoTextFound            422  no_text_found
    ├── InvalidAnswer              502  invalid_answer
    ├── Unavailable                503  unavailable         (Retry-After)
    │   ├── Busy                   503  busy                (Retry-After)
    │   ├── OcrUnavailable         503  ocr_unavailable     (Retry-After)
    │   └── ModelServerAway        503  model_server_away   (Retry-After)
    │       └── ModelServerRefuses     the same to a client; never tried again
    └── DeadlineExceeded           504  deadline_exceeded

A message is written for the client: it never holds text from an image, a prompt or an answer, nor a file system path.
429 is kept for rate limits, which this service does not have yet.
"""

from typing import ClassVar


class FrontError(Exception):
    """Base of the tree. `message` is one sentence that may leave the service."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retry_after: ClassVar[int | None] = None  # seconds

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(FrontError):
    """The request cannot be understood: a missing part, a form that is not one."""

    status, code = 400, "bad_request"


class UnreadableImage(BadRequest):
    """It says that it is an image of a known type, but it is empty, cut off or damaged."""

    code = "unreadable_image"


class Unauthorized(FrontError):
    """Keys are configured and the request carries none of them."""

    status, code = 401, "unauthorized"


class NotFound(FrontError):
    """No such route."""

    status, code = 404, "not_found"


class MethodNotAllowed(FrontError):
    """The route is there, for another method."""

    status, code = 405, "method_not_allowed"


class ImageTooLarge(FrontError):
    """More bytes or more pixels than the settings allow."""

    status, code = 413, "image_too_large"


class NotAnImage(FrontError):
    """The content is none of the image types that are read here, whatever its name says."""

    status, code = 415, "not_an_image"


class Unprocessable(FrontError):
    """Well formed, and still not something to answer."""

    status, code = 422, "unprocessable"


class UnknownDocument(Unprocessable):
    """Not the name of a document type."""

    code = "unknown_document"


class UnknownModel(Unprocessable):
    """The model server does not serve this name, or it was not trained for this document."""

    code = "unknown_model"


class UnknownPicture(Unprocessable):
    """The sender left the document to the service, and the picture shows none of them, or not clearly which."""

    code = "document_not_recognised"


class NoTextFound(Unprocessable):
    """The OCR read nothing on the image."""

    code = "no_text_found"


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


class ModelServerAway(Unavailable):
    """The model server refuses connections or answers with a 5xx."""

    code, retry_after = "model_server_away", 5


class ModelServerRefuses(ModelServerAway):
    """It answers, but not in a way that another try would change: a key that it does not accept, a senseless body."""


class DeadlineExceeded(FrontError):
    """A stage took longer than its deadline."""

    status, code = 504, "deadline_exceeded"
