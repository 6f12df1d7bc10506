"""The server's errors and their OpenAI-shaped bodies. Internal text never leaves.

ServerError            status, type, code
├── BadRequest         400
├── Unauthorized       401
├── Forbidden          403
├── NotHere            404
├── Clash              409
├── Outdated           412
├── TooLarge           413
├── UnsupportedMedia   415
├── Unprocessable      422 a revision that may not serve
├── TooMany            429 with Retry-After
└── Unavailable        503 with Retry-After
"""

import math
from typing import Any

from adapters.registry import errors as registry

_RETRY_SECONDS = 5.0


class ServerError(Exception):
    """One clear sentence for the caller."""

    status = 500
    type = "internal_server_error"
    code = "internal_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or self.code
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        """OpenAI's error shape."""
        return error_body(self.message, self.type, self.code, self.param)


class BadRequest(ServerError):
    """The request cannot be understood."""

    status, type, code = 400, "invalid_request_error", "bad_request"


class Unauthorized(ServerError):
    """No key, or a wrong one."""

    status, type, code = 401, "authentication_error", "invalid_api_key"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(ServerError):
    """The key may not do this."""

    status, type, code = 403, "permission_error", "forbidden"


class NotHere(ServerError):
    """No such route, model, adapter or revision."""

    status, type, code = 404, "not_found_error", "not_found"


class Clash(ServerError):
    """The operation contradicts the present state."""

    status, type, code = 409, "conflict_error", "conflict"


class Outdated(ServerError):
    """The caller's If-Match names a state that is no longer."""

    status, type, code = 412, "conflict_error", "changed"


class TooLarge(ServerError):
    """More bytes than this server takes."""

    status, type, code = 413, "invalid_request_error", "too_large"


class UnsupportedMedia(ServerError):
    """A body of another kind than this route takes."""

    status, type, code = 415, "invalid_request_error", "unsupported_media_type"


class Unprocessable(ServerError):
    """A revision that may not serve; the code names the failed check."""

    status, type, code = 422, "invalid_request_error", "refused"


class _Later(ServerError):
    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(max(1, math.ceil(retry_after)))}


class TooMany(_Later):
    """A limit of the key is reached. `retry_after`: seconds."""

    status, type, code = 429, "rate_limit_error", "rate_limit_exceeded"


class Unavailable(_Later):
    """Not now. `retry_after`: seconds."""

    status, type, code = 503, "service_unavailable_error", "unavailable"


def error_body(message: str, kind: str, code: str, param: str | None = None) -> dict[str, Any]:
    """OpenAI's error shape."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def from_registry(error: registry.RegistryError) -> ServerError:
    """The HTTP side of a registry error."""
    if isinstance(error, registry.Busy | registry.Damaged) or (isinstance(error, registry.Refused) and error.transient):
        return Unavailable(str(error), _RETRY_SECONDS)
    if isinstance(error, registry.Refused):
        return Unprocessable(str(error), code=error.check)
    if isinstance(error, registry.NotFound):
        return NotHere(str(error))
    if isinstance(error, registry.Changed):
        return Outdated(str(error))
    if isinstance(error, registry.Conflict):
        return Clash(str(error))
    return BadRequest(str(error))
