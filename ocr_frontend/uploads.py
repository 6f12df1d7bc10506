"""A multipart upload, received into memory and nowhere else: Starlette's own parser spills to a temporary file."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from ocr_frontend.errors import BadRequest, ImageTooLarge

_FORM_OVERHEAD = 64 * 1024  # bytes of a form beside its file
_DRAIN = 4  # times the limit: read and thrown away, so that the client gets to read the answer


class _InMemoryParser(MultiPartParser):
    spool_max_size = 0  # SpooledTemporaryFile: 0 is "never on disk"


@dataclass(frozen=True, slots=True)
class Upload:
    """The file's bytes and the form's other fields."""

    data: bytes
    fields: dict[str, str]


async def receive(request: Request, part: str, max_bytes: int, seconds: float) -> Upload:
    """Read the form; `part` names its file. Raises BadRequest, ImageTooLarge (as early as it can be known)."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadRequest(f"Send a multipart form with the image in the part `{part}`.")
    form = await _form(request, max_bytes + _FORM_OVERHEAD, seconds)
    try:
        file = form.get(part)
        if not isinstance(file, UploadFile):
            raise BadRequest(f"The form has no file in the part `{part}`.")
        data = await file.read()
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
        return Upload(data, {name: value for name, value in form.items() if isinstance(value, str)})
    finally:
        await form.close()


async def _form(request: Request, limit: int, seconds: float) -> FormData:
    try:
        async with asyncio.timeout(seconds):
            parser = _InMemoryParser(request.headers, _limited(request, limit), max_files=1, max_fields=16)
            return await parser.parse()
    except MultiPartException:
        raise BadRequest("The form cannot be read.") from None
    except ClientDisconnect:
        raise BadRequest("The client went away.") from None
    except TimeoutError:
        raise BadRequest(f"The upload did not end within {seconds:g} s.") from None


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > _DRAIN * limit:
        raise _too_large(limit - _FORM_OVERHEAD)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > _DRAIN * limit:
            break
        if received <= limit:
            yield chunk
    if received > limit:
        raise _too_large(limit - _FORM_OVERHEAD)


def _too_large(max_bytes: int) -> ImageTooLarge:
    return ImageTooLarge(f"The image has more than {max_bytes} bytes.")
