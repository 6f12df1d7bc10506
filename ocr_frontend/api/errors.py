"""An error as a client gets it."""

from starlette.responses import JSONResponse

from ocr_frontend.errors import FrontError


def error_response(error: FrontError, request_id: str) -> JSONResponse:
    """API.md's error body; `Retry-After` where a later try makes sense."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = {"error": {"code": error.code, "message": error.message, "request_id": request_id}}
    return JSONResponse(body, error.status, headers)
