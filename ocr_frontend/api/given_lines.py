"""The body of `POST /v1/extract-lines`: bounded before it is parsed; a refusal quotes nothing of it."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request

from ocr_frontend.api.admission import Hold
from ocr_frontend.auth.work import current
from ocr_frontend.errors import BadRequest, FrontError, ImageTooLarge, Unprocessable
from ocr_frontend.ocr.given import GivenLine, page_of
from ocr_frontend.ocr.scan import Page

MOST_BYTES = 2**20  # of a body
MOST_LINES = 1000
MOST_CHARACTERS = 2000  # of one line
MOST_TEXT = 50_000  # characters of all lines: ten dense pages. Labels are looked for in every one of them
FARTHEST = 100_000  # pixels
_NAME = 200  # characters of a document's or a model's

_Coordinate = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
_Side = Annotated[float, Field(ge=1, le=FARTHEST, allow_inf_nan=False)]
_Corner = tuple[_Coordinate, _Coordinate]

# By field: what the refusal of another value says.
_TAKES = {
    "document": f"text of up to {_NAME} characters",
    "model": f"text of up to {_NAME} characters",
    "card": "one whole number, from 1: which of the cards in the lines is read",
    "lines": f"a list of up to {MOST_LINES} objects with `text`, and `confidence` and `box` where they are known",
    "text": f"text of up to {MOST_CHARACTERS} characters",
    "confidence": "a number from 0 to 1",
    "box": f"four corners [x, y] in pixels, each number from -{FARTHEST} to {FARTHEST}",
    "size": f"[width, height] in pixels, each from 1 to {FARTHEST}",
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SentLine(_Body):
    """One line; null is as good as nothing."""

    text: str = Field(max_length=MOST_CHARACTERS)
    confidence: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    box: tuple[_Corner, _Corner, _Corner, _Corner] | None = None


class SentLines(_Body):
    """What the route takes."""

    document: str | None = Field(None, max_length=_NAME)
    model: str | None = Field(None, max_length=_NAME)
    card: int | None = Field(None, ge=1, le=999)
    lines: tuple[SentLine, ...] = Field(max_length=MOST_LINES)
    size: tuple[_Side, _Side] | None = None

    def page(self) -> Page:
        """The lines as a page. Raises what `page_of` raises."""
        given = [GivenLine(line.text, 1.0 if line.confidence is None else line.confidence, line.box)
                 for line in self.lines]  # fmt: skip
        return page_of(given, self.size)


async def receive_lines(request: Request, seconds: float, hold: Hold) -> tuple[SentLines, Page]:
    """seconds: for the body to arrive; hold: where its bytes are counted.

    Raises BadRequest, ImageTooLarge, Unprocessable, NoTextFound, Busy, RateLimited.
    """
    body = await _received(request, current().left(seconds), hold)
    return await asyncio.to_thread(_read, body)


async def _received(request: Request, seconds: float, hold: Hold) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                if len(body) + len(chunk) > MOST_BYTES:
                    raise ImageTooLarge(f"The body has more than {MOST_BYTES} bytes.")
                hold.add(len(chunk))
                body += chunk
    except ClientDisconnect:
        raise BadRequest("The client went away.") from None
    except TimeoutError:
        raise BadRequest(f"The body did not end within {seconds:.3g} s.") from None
    return bytes(body)


def _read(body: bytes) -> tuple[SentLines, Page]:
    try:
        sent = SentLines.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise _refusal(first["type"], first["loc"]) from None
    if sum(len(line.text) for line in sent.lines) > MOST_TEXT:
        raise Unprocessable(f"The lines have more than {MOST_TEXT} characters in all.")
    return sent, sent.page()


def _refusal(kind: str, place: Sequence[Any]) -> FrontError:
    """In our own words: pydantic's may hold what was sent, and so may the name of a field that nobody knows."""
    if kind == "json_invalid":
        return BadRequest("The body is not JSON.")
    if not place:
        return BadRequest("The body has to be a JSON object with `lines`.")
    if kind == "extra_forbidden":
        known, owner = (SentLine, f"`{_name(place[:-1])}`") if len(place) > 1 else (SentLines, "The body")
        names = ", ".join(f"`{name}`" for name in known.model_fields)
        return Unprocessable(f"{owner} has a field that this route does not take; it takes {names}.")
    field = max(at for at, part in enumerate(place) if isinstance(part, str))
    if kind == "missing" and field == len(place) - 1:
        return BadRequest(f"`{_name(place)}` is missing.")
    return Unprocessable(f"`{_name(place[: field + 1])}` takes {_TAKES[place[field]]}.")


def _name(place: Sequence[Any]) -> str:
    """`lines[3].box`; lines are counted from 0."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
