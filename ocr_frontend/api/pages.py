"""`pages`: which of a file's pages are read. One picture has one; a PDF, a TIFF or a HEIC may have several."""

import asyncio
import re

from ocr_frontend.errors import Unprocessable
from ocr_frontend.ocr.contents import Contents, is_plain, look
from ocr_frontend.ocr.limits import Limits

_PART = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_ALL = "all"


async def contents_of(data: bytes, limits: Limits) -> Contents:
    """Looks beside the event loop, where there is something to look for. Raises what `look` raises."""
    return Contents() if is_plain(data) else await asyncio.to_thread(look, data, limits)


def one_page(text: str | None, contents: Contents) -> int:
    """The page that is read where one is: the first unless the sender says another. Raises Unprocessable."""
    if text is None:
        return 1
    if not text.isdecimal() or len(text) > 4:
        raise Unprocessable("`pages` is one number here, from 1; /v1/jobs reads several.")
    return _there(int(text), contents)


def one_card(text: str | None) -> int | None:
    """`card`: which of several on one picture, from 1; None where the sender says nothing. Raises Unprocessable."""
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 3 or text == "0":
        raise Unprocessable("`card` is one number, from 1: which of the cards on a picture is read.")
    return int(text)


def chosen_pages(text: str | None, contents: Contents) -> list[int]:
    """`all` (the default), or numbers and ranges: `1,3-5`. Raises Unprocessable."""
    if text in (None, "", _ALL):
        return list(range(1, contents.pages + 1))
    pages: list[int] = []
    for part in str(text).split(","):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise Unprocessable("`pages` is `all`, or numbers and ranges from 1: `1,3-5`.")
        first, last = _there(int(found[1]), contents), _there(int(found[2] or found[1]), contents)
        pages += range(first, last + 1)
    return list(dict.fromkeys(pages))


def _there(page: int, contents: Contents) -> int:
    if not 1 <= page <= contents.pages:
        raise Unprocessable(f"`pages`: a file has {contents.pages} page{'s' if contents.pages > 1 else ''}.")
    return page
