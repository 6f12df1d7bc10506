"""HEIC and HEIF, as phones photograph, by libheif."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heif(data: bytes) -> bool:
    """By its content."""
    return data[4:8] == b"ftyp" and any(brand in data[8:64] for brand in _BRANDS)


def open_heif(data: bytes) -> "Image.Image":
    """Its header; libheif turns the picture itself. Raises whatever the library raises over damage."""
    from pi_heif import HeifImageFile

    image: Image.Image = HeifImageFile(io.BytesIO(data))
    return image
