"""What the sender can change."""

import math

from ocr_frontend.errors.base import FrontError


class BadRequest(FrontError):
    """The request cannot be understood: a missing part, a form that is not one."""

    status, code = 400, "bad_request"


class UnreadableImage(BadRequest):
    """It says that it is an image of a known type, but it is empty, cut off or damaged."""

    code = "unreadable_image"


class Unauthorized(FrontError):
    """Keys are configured and the request carries none of them."""

    status, code = 401, "unauthorized"


class Forbidden(FrontError):
    """The key is known and may not do this."""

    status, code = 403, "forbidden"


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


class RateLimited(FrontError):
    """A limit of the key is reached."""

    status, code = 429, "rate_limited"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, math.ceil(seconds))
