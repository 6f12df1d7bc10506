"""A multipart upload, received into memory and nowhere else: Starlette's own parser spills to a temporary file."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from ocr_frontend.errors import BadRequest, ImageTooLarge

_FORM_OVERHEAD = 64 * 1024  # bytes of a form beside its files
_DRAIN = 4  # times the limit: read and thrown away, so that the client gets to read the answer


class _InMemoryParser(MultiPartParser):
    spool_max_size = 0  # SpooledTemporaryFile: 0 is "never on disk"


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of each file by its part's name, and the form's other fields."""

    files: dict[str, list[bytes]]
    fields: dict[str, str]

    def one(self, part: str) -> bytes:
        """The file of a part. Raises BadRequest."""
        if not self.files[part]:
            raise BadRequest(f"The form has no file in the part `{part}`.")
        return self.files[part][0]


async def receive(
    request: Request, parts: Sequence[str], max_bytes: int, seconds: float, *, most: int = 1, total: int | None = None
) -> Upload:
    """Read the form. `parts` name its files, up to `most` each; max_bytes: of one file, `total`: of all.

    Raises BadRequest, ImageTooLarge (as early as it can be known).
    """
    names = " and ".join(f"`{part}`" for part in parts)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadRequest(f"Send a multipart form with the image in the part {names}.")
    limit = (total or max_bytes * len(parts)) + _FORM_OVERHEAD
    form = await _form(request, limit, seconds, most * len(parts))
    try:
        files = {part: [await _bytes(file, max_bytes) for file in form.getlist(part)] for part in parts}
        return Upload(files, {name: value for name, value in form.items() if isinstance(value, str)})
    finally:
        await form.close()


async def _bytes(file: UploadFile | str, max_bytes: int) -> bytes:
    if not isinstance(file, UploadFile):
        raise BadRequest("A part that should hold a file holds text.")
    data = await file.read()
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data


async def _form(request: Request, limit: int, seconds: float, most: int) -> FormData:
    try:
        async with asyncio.timeout(seconds):
            parser = _InMemoryParser(request.headers, _limited(request, limit), max_files=most, max_fields=16)
            return await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise BadRequest(f"The form has more than {most} files.") from None
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
    return ImageTooLarge(f"The upload has more than {max_bytes} bytes.")
