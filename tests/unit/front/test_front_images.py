"""Decoding: types by content, sizes by header, orientation, and modes that are not RGB."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr_frontend.errors import FrontError, ImageTooLarge, NotAnImage, UnreadableImage
from ocr_frontend.ocr.images import decode


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def corner(mode: str = "RGB") -> Image.Image:
    """40 × 20, black but for a white top left corner."""
    image = Image.new("RGB", (40, 20))
    image.paste("white", (0, 0, 8, 8))
    return image.convert(mode)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_five_types(kind: str, mode: str) -> None:
    pixels = decode(encode(corner(mode), kind), 10**6)
    assert pixels.shape == (20, 40, 3) and pixels.dtype == np.uint8
    assert pixels[2, 2].min() > 200 and pixels[15, 30].max() < 50


@pytest.mark.parametrize(
    ("orientation", "size", "white"),
    [(1, (40, 20), (2, 2)), (3, (40, 20), (37, 17)), (6, (20, 40), (17, 2)), (8, (20, 40), (2, 37))],
)
def test_exif_orientation_is_applied(orientation: int, size: tuple[int, int], white: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode(encode(corner(), "JPEG", exif=exif, quality=95), 10**6)
    assert (pixels.shape[1], pixels.shape[0]) == size
    assert pixels[white[1], white[0]].min() > 200


def test_transparency_is_white_and_sixteen_bits_are_scaled() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert decode(encode(clear, "PNG"), 10**6).min() == 255
    deep = Image.fromarray(np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8))
    pixels = decode(encode(deep, "PNG"), 10**6)
    assert pixels.min() == 0 and pixels.max() == 255
    for mode in ("P", "1", "LA", "CMYK"):
        assert decode(encode(corner(mode), "TIFF" if mode == "CMYK" else "PNG"), 10**6).shape == (20, 40, 3)


def test_the_first_of_several_pages() -> None:
    out = encode(corner(), "TIFF", save_all=True, append_images=[Image.new("RGB", (500, 500))])
    assert decode(out, 10**6).shape == (20, 40, 3)


def test_pixels_are_counted_before_decoding() -> None:
    data = encode(Image.new("RGB", (1001, 1000)), "PNG")
    with pytest.raises(ImageTooLarge, match="1001 x 1000"):
        decode(data[:100], 1_000_000)
    assert decode(data, 1_001_000).shape == (1000, 1001, 3)


@pytest.mark.parametrize("data", [b"GIF89a", b"%PDF-1.4", b"PK\x03\x04", b"hello", b"\0" * 100, b"RIFF1234WAVE"])
def test_other_content(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        decode(data, 10**6)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBPVP8 ", b"BM1"]
)
def test_headers_without_an_image(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        decode(data, 10**6)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "BMP"]), data=st.data())
def test_damage_is_refused_or_read_and_nothing_else(kind: str, data: st.DataObject) -> None:
    image = bytearray(encode(Image.linear_gradient("L").resize((64, 48)).convert("RGB"), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(image)))
    try:
        pixels = decode(bytes(image[:end]), 10**6)
    except FrontError as error:
        assert error.status in (400, 413, 415)
    else:
        assert pixels.ndim == 3 and pixels.shape[2] == 3
