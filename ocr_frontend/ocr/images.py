"""From bytes to pixels, safely: the type by content, the size from the header, and only then the decoding.

EXIF orientation is applied: pixels, `size` and every box are those of the picture as a browser or a phone shows it
(`naturalWidth` × `naturalHeight`). A picture larger than reading needs is decoded smaller; `scale` says how much. A
part of it can then be decoded as it is (`decode_part`).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image

from ocr_frontend.errors import Busy, FrontError, UnreadableImage
from ocr_frontend.ocr.cancellation import check
from ocr_frontend.ocr.contents import Sent
from ocr_frontend.ocr.exif import stored, upright
from ocr_frontend.ocr.header import DAMAGED, FORMATS, exif_orientation, grey_end, open_image, tiff_orientation, with_end
from ocr_frontend.ocr.limits import Limits, memory_of
from ocr_frontend.ocr.memory import Gate
from ocr_frontend.ocr.pdf import draw, is_pdf
from ocr_frontend.ocr.pixels import Pixels, Rectangle, to_pixels

__all__ = ["FORMATS", "Decoded", "Gate", "Limits", "Pixels", "Rectangle", "Sent", "decode", "decode_part"]

_ENOUGH = 0.8  # of the size that a picture is read at
T = TypeVar("T")
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
    data, page = _file(sent)
    gate = gate or Gate(0)
    if is_pdf(data):
        with gate.hold(limits.decode_bytes):
            pixels = draw(data, page, limits)
        return Decoded(pixels, (pixels.shape[1], pixels.shape[0]))
    ended = with_end(data)
    image = open_image(ended, page)
    limits.check_size(*image.size)
    return _guarded(lambda: _decoded(image, limits, gate, cut=ended is not data))


def decode_part(sent: bytes | Sent, part: Rectangle, limits: Limits, gate: Gate | None = None) -> Pixels:
    """A part of a picture that `decode` took, with all of its pixels where these are not more than are read.

    part: on the picture as it was sent, upright. Raises as `decode` does; not for a PDF, whose page is drawn as it is
    read.
    """
    data, page = _file(sent)
    image = open_image(with_end(data), page)
    return _guarded(lambda: _part(image, part, limits, gate or Gate(0)))


def _file(sent: bytes | Sent) -> tuple[bytes, int]:
    data, page = (sent.data, sent.page) if isinstance(sent, Sent) else (sent, 1)
    if not data:
        raise UnreadableImage("The image is empty.")
    return data, page


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except FrontError:
        raise
    except MemoryError:
        raise Busy("There is not enough memory for this image now.") from None
    except Exception as error:  # Pillow raises whatever it meets in hostile bytes: struct.error, AttributeError, …
        raise UnreadableImage(DAMAGED) from error


def _decoded(image: Image.Image, limits: Limits, gate: Gate, *, cut: bool) -> Decoded:
    turned = tiff_orientation(image) if image.format == "TIFF" else None
    sent = image.size
    work = limits.work_size(*sent)
    # A JPEG decodes to a half, a quarter or an eighth by itself; a little less than is read will do.
    image.draft("RGB" if image.mode == "YCbCr" else image.mode, (int(work[0] * _ENOUGH), int(work[1] * _ENOUGH)))
    needed = memory_of(image, sent, work)
    limits.check_memory(needed)
    with gate.hold(needed):
        check()
        image.load()
        if cut and grey_end(image):
            raise UnreadableImage(DAMAGED)
        turned = exif_orientation(image) if turned is None else turned
        pixels = to_pixels(image, (min(work[0], image.width), min(work[1], image.height)))
        image.close()
        return Decoded(upright(pixels, turned), sent[::-1] if turned >= 5 else sent)


def _part(image: Image.Image, part: Rectangle, limits: Limits, gate: Gate) -> Pixels:
    turned = tiff_orientation(image) if image.format == "TIFF" else None
    wide, high = part[2] - part[0], part[3] - part[1]
    size = limits.work_size(wide, high)
    needed = memory_of(image, image.size, size)
    limits.check_memory(needed)
    with gate.hold(needed):
        check()
        image.load()
        turned = exif_orientation(image) if turned is None else turned
        box = stored(part, image.size, turned)
        pixels = to_pixels(image, size[::-1] if turned >= 5 else size, box)
        image.close()
        return upright(pixels, turned)
