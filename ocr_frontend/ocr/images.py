"""From bytes to pixels, safely: the type by content, the size from the header, and only then the decoding.

EXIF orientation is applied: pixels, `size` and every box are those of the picture as a browser or a phone shows it
(`naturalWidth` × `naturalHeight`). Nothing is scaled, so a box fits the image as sent.
"""

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ocr_frontend.errors import ImageTooLarge, NotAnImage, UnreadableImage

Pixels = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"BM")
# What Pillow raises over hostile files, beside its own errors.
_DAMAGED = (OSError, ValueError, SyntaxError, TypeError, IndexError, KeyError, ArithmeticError, EOFError, MemoryError)


def decode(data: bytes, max_pixels: int) -> Pixels:
    """The image as an (height, width, 3) array of RGB bytes, upright.

    Raises UnreadableImage (empty, cut off, damaged), NotAnImage (by its content), ImageTooLarge (from its header).
    """
    if not data:
        raise UnreadableImage("The image is empty.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own size warning: the limit here is stricter
        image = _open(data)
        width, height = image.size
        if width * height > max_pixels:
            raise ImageTooLarge(f"The image has {width} x {height} pixels; at most {max_pixels} are read.")
        try:
            image.load()
            return np.asarray(_flatten(ImageOps.exif_transpose(image)), dtype=np.uint8)
        except _DAMAGED as error:
            raise UnreadableImage("The image is cut off or damaged.") from error


def _open(data: bytes) -> Image.Image:
    """Read the header alone. A known signature before a senseless header is damage, all else is not an image."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageTooLarge("The image has too many pixels.") from error
    except (UnidentifiedImageError, *_DAMAGED) as error:
        if data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
            raise UnreadableImage("The image is cut off or damaged.") from error
        raise NotAnImage(f"The file is none of the image types read here: {', '.join(FORMATS)}.") from error


def _flatten(image: Image.Image) -> Image.Image:
    """RGB on white: a transparent background would come out black, and black text with it."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        image = _to_eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    return image.convert("RGB")


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Scanners write 16 bits; Pillow's own conversion would clip them to white."""
    values: NDArray[Any] = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    return Image.fromarray(scaled.astype(np.uint8))
