"""Everything that this package raises, and what a client sees of it.

    FrontError                     500  internal
    ├── BadRequest                 400  bad_request
    │   └── UnreadableImage        400  unreadable_image
    ├── Unauthorized               401  unauthorized
    ├── Forbidden                  403  forbidden
    ├── NotFound                   404  not_found
    ├── MethodNotAllowed           405  method_not_allowed
    ├── ImageTooLarge              413  image_too_large
    ├── NotAnImage                 415  not_an_image
    ├── Unprocessable              422  unprocessable
    │   ├── UnknownDocument        422  unknown_document
    │   ├── UnknownModel           422  unknown_model
    │   ├── UnknownPicture         422  document_not_recognised
    │   └── NoTextFound            422  no_text_found
    ├── RateLimited                429  rate_limited        (Retry-After)
    ├── InvalidAnswer              502  invalid_answer
    ├── Unavailable                503  unavailable         (Retry-After)
    │   ├── Busy                   503  busy                (Retry-After)
    │   ├── OcrUnavailable         503  ocr_unavailable     (Retry-After)
    │   ├── JobStoreAway           503  jobs_unavailable    (Retry-After)
    │   └── ModelServerAway        503  model_server_away   (Retry-After)
    │       └── ModelServerRefuses     the same to a client; never tried again
    └── DeadlineExceeded           504  deadline_exceeded
        └── ModelServerHangs           the same to a client; counts as the server's failure

A message is written for the client: it never holds text from an image, a prompt or an answer, nor a file system path.
"""

from ocr_frontend.errors.base import FrontError
from ocr_frontend.errors.client import (
    BadRequest,
    Forbidden,
    ImageTooLarge,
    MethodNotAllowed,
    NotAnImage,
    NoTextFound,
    NotFound,
    RateLimited,
    Unauthorized,
    UnknownDocument,
    UnknownModel,
    UnknownPicture,
    Unprocessable,
    UnreadableImage,
)
from ocr_frontend.errors.service import (
    Busy,
    DeadlineExceeded,
    InvalidAnswer,
    JobStoreAway,
    ModelServerAway,
    ModelServerHangs,
    ModelServerRefuses,
    OcrUnavailable,
    Unavailable,
)

__all__ = [
    "BadRequest",
    "Busy",
    "DeadlineExceeded",
    "Forbidden",
    "FrontError",
    "ImageTooLarge",
    "InvalidAnswer",
    "JobStoreAway",
    "MethodNotAllowed",
    "ModelServerAway",
    "ModelServerHangs",
    "ModelServerRefuses",
    "NoTextFound",
    "NotAnImage",
    "NotFound",
    "OcrUnavailable",
    "RateLimited",
    "Unauthorized",
    "Unavailable",
    "UnknownDocument",
    "UnknownModel",
    "UnknownPicture",
    "Unprocessable",
    "UnreadableImage",
]
