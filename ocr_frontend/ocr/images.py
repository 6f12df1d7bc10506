"""From bytes to pixels, safely: the type by content, the size from the header, and only then the decoding.

EXIF orientation is applied: pixels, `size` and every box are those of the picture as a browser or a phone shows it
(`naturalWidth` × `naturalHeight`). A picture larger than reading needs is decoded smaller; `scale` says how much.
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ocr_frontend.errors import Busy, FrontError, ImageTooLarge, NotAnImage, UnreadableImage
from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.contents import Sent
from ocr_frontend.ocr.exif import orientation, upright
from ocr_frontend.ocr.heif import is_heif, open_heif
from ocr_frontend.ocr.limits import Limits, memory_of
from ocr_frontend.ocr.memory import Gate
from ocr_frontend.ocr.pdf import draw, is_pdf
from ocr_frontend.ocr.pixels import Pixels, to_pixels

__all__ = ["Decoded", "Gate", "Limits", "Pixels", "Sent", "decode"]

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*")
_DIB = (12, 16, 40, 52, 56, 64, 108, 124)  # sizes that a bitmap's second header may have
_ORIENTATION = 0x0112
_ENOUGH = 0.8  # of the size that a picture is read at
_DAMAGED = "The image is cut off or damaged."
# Pillow's own size warning (the limit here is stricter) and what it says of odd tags. Once, for all threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Decoded:
    """pixels: (height, width, 3) RGB bytes, upright. size: (width, height) as sent, upright; scale: `size` / pixels."""

    pixels: Pixels
    size: tuple[int, int]

    @property
    def scale(self) -> tuple[float, float]:
        """What a place on `pixels` is multiplied by, x and y."""
        height, width = self.pixels.shape[:2]
        return self.size[0] / width, self.size[1] / height


def decode(sent: bytes | Sent, limits: Limits, gate: Gate | None = None) -> Decoded:
    """One picture, of a file with several the first or the page that is meant. `gate`: where its memory is waited for.

    Raises UnreadableImage (empty, cut off, damaged), NotAnImage (by its content), ImageTooLarge (from its header),
    Busy (out of memory)."""
    data, page = (sent.data, sent.page) if isinstance(sent, Sent) else (sent, 1)
    gate = gate or Gate(0)
    if not data:
        raise UnreadableImage("The image is empty.")
    if is_pdf(data):
        with gate.hold(limits.decode_bytes):
            pixels = draw(data, page, limits)
        return Decoded(pixels, (pixels.shape[1], pixels.shape[0]))
    ended = _with_end(data)
    image = _open(ended, page)
    limits.check_size(*image.size)
    try:
        return _decoded(image, limits, gate, cut=ended is not data)
    except FrontError:
        raise
    except MemoryError:
        raise Busy("There is not enough memory for this image now.") from None
    except Exception as error:  # Pillow raises whatever it meets in hostile bytes: struct.error, AttributeError, …
        raise UnreadableImage(_DAMAGED) from error


def _decoded(image: Image.Image, limits: Limits, gate: Gate, *, cut: bool) -> Decoded:
    turned = _tiff_orientation(image) if image.format == "TIFF" else None
    sent = image.size
    work = limits.work_size(*sent)
    # A JPEG decodes to a half, a quarter or an eighth by itself; a little less than is read will do.
    image.draft("RGB" if image.mode == "YCbCr" else image.mode, (int(work[0] * _ENOUGH), int(work[1] * _ENOUGH)))
    needed = memory_of(image, sent, work)
    limits.check_memory(needed)
    with gate.hold(needed):
        return _loaded(image, sent, work, turned, cut=cut)


def _loaded(
    image: Image.Image, sent: tuple[int, int], work: tuple[int, int], turned: int | None, *, cut: bool
) -> Decoded:
    check()
    image.load()
    if cut and _grey_end(image):
        raise UnreadableImage(_DAMAGED)
    if turned is None:
        exif = image.info.get("exif") if image.format != "HEIF" else None  # libheif has turned it
        turned = orientation(exif) if isinstance(exif, bytes) else 1
    pixels = to_pixels(image, (min(work[0], image.width), min(work[1], image.height)))
    image.close()
    return Decoded(upright(pixels, turned), sent[::-1] if turned >= 5 else sent)


def _tiff_orientation(image: Image.Image) -> int:
    """Of the picture's own tags. Pillow would turn it by itself after loading, over a copy of all its tags."""
    value = image.tag_v2.get(_ORIENTATION)  # type: ignore[attr-defined]
    turned = value if isinstance(value, int) and 1 <= value <= 8 else 1
    image.load_end = lambda: None  # type: ignore[attr-defined]
    if turned >= 5:
        image._size = image.size[::-1]  # as stored; Pillow says the size that it would turn it to
    return turned


def _with_end(data: bytes) -> bytes:
    """A JPEG without its last two bytes is whole. The same object where nothing is missing."""
    if data.startswith(b"\xff\xd8\xff") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        return data + b"\xff\xd9"
    return data


def _grey_end(image: Image.Image) -> bool:
    """Whether the last block is what libjpeg puts where the data ends too early: the middle of every channel."""
    block = np.asarray(image.crop((max(0, image.width - 2), max(0, image.height - 2), image.width, image.height)))
    return bool((block == 128).all())


def _open(data: bytes, page: int) -> Image.Image:
    """Read the header alone. A known signature before a senseless header is damage, all else is not an image."""
    try:
        image = open_heif(data) if is_heif(data) else Image.open(io.BytesIO(data), formats=FORMATS)
        if page > 1:
            image.seek(page - 1)
        return image
    except EOFError:
        raise UnreadableImage(f"The file has no page {page}.") from None
    except Image.DecompressionBombError as error:
        raise ImageTooLarge("The image has too many pixels.") from error
    except Exception as error:
        if data.startswith(_SIGNATURES) or data[8:12] == b"WEBP" or _is_bitmap(data) or is_heif(data):
            raise UnreadableImage(_DAMAGED) from error
        raise NotAnImage(
            f"The file is none of the types read here: {', '.join(FORMATS)}, PDF, HEIC. Save it as one of them, or "
            "photograph the card."
        ) from error


def _is_bitmap(data: bytes) -> bool:
    """Many texts begin with BM."""
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _DIB
