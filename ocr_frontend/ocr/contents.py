"""What is in a file: one picture, several pages, a film. Looked at first, so that nothing is left out unsaid."""

import io
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image

from ocr_frontend.ocr.heif import is_heif, open_heif
from ocr_frontend.ocr.limits import Limits
from ocr_frontend.ocr.pdf import is_pdf, pages_of

_TIFF = (b"II*\x00", b"MM\x00*")
_FILM = 64 * 1024  # bytes in which a PNG or WebP says that it moves
MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it was sent, and which of its pages is meant (from 1)."""

    data: bytes
    page: int = 1


@dataclass(frozen=True, slots=True)
class Contents:
    """pages: of the file, 1 where it is one picture; moves: whether it is a film, whose first picture is read."""

    pages: int = 1
    moves: bool = False

    def left_out(self, page: int) -> dict[str, dict[str, int]]:
        """Code and parameters of what is said to somebody of whose file this one page was read."""
        if self.pages > 1:
            return {"pages_left_out": {"pages": self.pages, "page": page}}
        return {"frames_left_out": {}} if self.moves else {}


def look(data: bytes, limits: Limits) -> Contents:
    """Reads headers alone. What cannot be read counts as one page: reading it says why.

    Raises UnreadableImage and ImageTooLarge for a PDF.
    """
    if is_pdf(data):
        return Contents(pages_of(data, limits))
    head = data[:_FILM]
    if data.startswith(b"\x89PNG") or data[8:12] == b"WEBP":
        return Contents(moves=b"acTL" in head or b"ANMF" in head)
    if data.startswith(_TIFF) or is_heif(data):
        return Contents(_frames(data))
    return Contents()


def is_plain(data: bytes) -> bool:
    """Whether it is one picture for certain, so that there is nothing to look for."""
    return data.startswith((b"\xff\xd8\xff", b"BM"))


def _frames(data: bytes) -> int:
    """Pages that can be come by, one after the other: a count in a header may be any number."""
    pages = 1
    with suppress(Exception):  # EOFError after the last page; anything where there is damage
        image = open_heif(data) if is_heif(data) else Image.open(io.BytesIO(data), formats=("TIFF",))
        while pages < MOST_PAGES:
            image.seek(pages)
            pages += 1
    return pages
