"""A multipart upload, received into memory and nowhere else; each byte is counted while it arrives."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from ocr_frontend.api.admission import Hold
from ocr_frontend.api.multipart import FormReader, boundary_of, too_large
from ocr_frontend.auth.work import current
from ocr_frontend.errors import BadRequest, FrontError

FORM_OVERHEAD = 64 * 1024  # bytes of a form beside its files
DRAIN = 4  # times the limit: read and thrown away, so that the client gets to read the answer


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
    request: Request,
    parts: Sequence[str],
    max_bytes: int,
    seconds: float,
    *,
    fields: Collection[str],
    hold: Hold,
    most: int = 1,
    total: int | None = None,
) -> Upload:
    """Read the form. `parts` name its files, up to `most` each; max_bytes: of one file, `total`: of all.

    `fields`: what else the form may hold; `hold`: where its bytes are counted.
    Raises BadRequest, ImageTooLarge, Unprocessable, Busy, RateLimited, as early as it can be known.
    """
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        names = " and ".join(f"`{part}`" for part in parts)
        raise BadRequest(f"Send a multipart form with the image in the part {names}.")
    limit = (total or max_bytes * len(parts)) + FORM_OVERHEAD
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > DRAIN * limit:
        raise too_large(limit - FORM_OVERHEAD)
    form = FormReader(boundary, dict.fromkeys(parts, most), fields, max_bytes)
    seconds = current().left(seconds)
    try:
        async with asyncio.timeout(seconds):
            await _read(request, form, limit, hold)
    except ClientDisconnect:
        raise BadRequest("The client went away.") from None
    except TimeoutError:
        raise BadRequest(f"The upload did not end within {seconds:.3g} s.") from None
    return Upload(form.files, form.fields)


async def _read(request: Request, form: FormReader, limit: int, hold: Hold) -> None:
    """What is refused halfway is read to its end (up to a limit) and thrown away."""
    received, chunks = 0, request.stream()
    try:
        async for chunk in chunks:
            received += len(chunk)
            if received > limit:
                raise too_large(limit - FORM_OVERHEAD)
            hold.add(len(chunk))
            form.write(chunk)
    except FrontError:
        form.files.clear()
        hold.release()
        await _throw_away(chunks, DRAIN * limit - received)
        raise
    form.end()


async def _throw_away(chunks: AsyncIterator[bytes], most: int) -> None:
    """Up to `most` bytes."""
    async for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            break
