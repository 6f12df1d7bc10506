"""A picture's header: its type by content, never by name, and what is odd about single types."""

import io

import numpy as np
from PIL import Image

from ocr_frontend.errors import ImageTooLarge, NotAnImage, UnreadableImage
from ocr_frontend.ocr.exif import orientation
from ocr_frontend.ocr.heif import is_heif, open_heif

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
DAMAGED = "The image is cut off or damaged."
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*")
_DIB = (12, 16, 40, 52, 56, 64, 108, 124)  # sizes that a bitmap's second header may have
_ORIENTATION = 0x0112


def open_image(data: bytes, page: int) -> Image.Image:
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
            raise UnreadableImage(DAMAGED) from error
        raise NotAnImage(
            f"The file is none of the types read here: {', '.join(FORMATS)}, PDF, HEIC. Save it as one of them, or "
            "photograph the card."
        ) from error


def tiff_orientation(image: Image.Image) -> int:
    """Of the picture's own tags. Pillow would turn it by itself after loading, over a copy of all its tags."""
    value = image.tag_v2.get(_ORIENTATION)  # type: ignore[attr-defined]
    turned = value if isinstance(value, int) and 1 <= value <= 8 else 1
    image.load_end = lambda: None  # type: ignore[attr-defined]
    if turned >= 5:
        image._size = image.size[::-1]  # as stored; Pillow says the size that it would turn it to
    return turned


def exif_orientation(image: Image.Image) -> int:
    """Of a loaded picture, 1 to 8; libheif has turned its own."""
    exif = image.info.get("exif") if image.format != "HEIF" else None
    return orientation(exif) if isinstance(exif, bytes) else 1


def with_end(data: bytes) -> bytes:
    """A JPEG without its last two bytes is whole. The same object where nothing is missing."""
    if data.startswith(b"\xff\xd8\xff") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        return data + b"\xff\xd9"
    return data


def grey_end(image: Image.Image) -> bool:
    """Whether the last block is what libjpeg puts where the data ends too early: the middle of every channel."""
    block = np.asarray(image.crop((max(0, image.width - 2), max(0, image.height - 2), image.width, image.height)))
    return bool((block == 128).all())


def _is_bitmap(data: bytes) -> bool:
    """Many texts begin with BM."""
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _DIB
