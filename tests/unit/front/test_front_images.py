"""Decoding: types by content, sizes by header, orientation, modes that are not RGB, pictures larger than is read."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr_frontend.errors import FrontError, ImageTooLarge, NotAnImage, UnreadableImage
from ocr_frontend.ocr.exif import orientation, upright
from ocr_frontend.ocr.images import Decoded, Limits, Pixels
from ocr_frontend.ocr.images import decode as decode_within
from ocr_frontend.ocr.scan import as_sent
from ocr_frontend.ocr.textline import TextLine


def decode(data: bytes, max_pixels: int = 10**6) -> Pixels:
    return decode_within(data, Limits(max_pixels)).pixels


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def corner(mode: str = "RGB") -> Image.Image:
    """40 × 20, black but for a white top left corner."""
    image = Image.new("RGB", (40, 20))
    image.paste("white", (0, 0, 8, 8))
    return image.convert(mode)


def with_exif(jpeg: bytes, block: bytes) -> bytes:
    """A JPEG with this EXIF block in front."""
    segment = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def rich_exif(turned: int) -> bytes:
    """A block as phones write it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110], exif[0x011A] = turned, "Maker", "Model", 72.0
    exif[0x0132] = "2020:01:01 00:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_five_types(kind: str, mode: str) -> None:
    pixels = decode(encode(corner(mode), kind))
    assert pixels.shape == (20, 40, 3) and pixels.dtype == np.uint8
    assert pixels[2, 2].min() > 200 and pixels[15, 30].max() < 50


@pytest.mark.parametrize(
    ("turned", "size", "white"),
    [
        (1, (40, 20), (2, 2)), (2, (40, 20), (37, 2)), (3, (40, 20), (37, 17)), (4, (40, 20), (2, 17)),
        (5, (20, 40), (2, 2)), (6, (20, 40), (17, 2)), (7, (20, 40), (17, 37)), (8, (20, 40), (2, 37)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(kind: str, turned: int, size: tuple[int, int], white: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    decoded = decode_within(encode(corner(), kind, exif=exif, quality=95), Limits(10**6))
    assert decoded.size == size == (decoded.pixels.shape[1], decoded.pixels.shape[0])
    assert decoded.pixels[white[1], white[0]].min() > 200


@pytest.mark.parametrize("turned", range(1, 9))
def test_turning_is_what_pillow_does(turned: int) -> None:
    from PIL import ImageOps

    pixels = np.random.default_rng(turned).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = turned
    assert (upright(pixels, turned) == np.asarray(ImageOps.exif_transpose(image))).all()


BLOCKS = [
    b"", b"XX", b"II*\0", b"II*\0\x08\0\0\0", b"II+\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff",
    b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0", b"MM\0*\0\0\0\x08\xff\xff" + bytes(40),
]  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_senseless_exif_block_is_ignored(kind: str, block: bytes) -> None:
    if kind == "JPEG":
        data = with_exif(encode(corner(), kind), block)
    else:
        data = encode(corner(), kind, exif=b"Exif\0\0" + block) if block else encode(corner(), kind)
    assert decode(data).shape == (20, 40, 3)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), turned=st.integers(1, 8), kind=st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF"]))
def test_a_damaged_exif_block_never_costs_the_picture(data: st.DataObject, turned: int, kind: str) -> None:
    block = bytearray(rich_exif(turned))
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    block = block[: data.draw(st.integers(0, len(block)))]
    assert 1 <= orientation(bytes(block)) <= 8
    if kind == "TIFF":  # its tags are the picture itself
        return
    image = encode(corner(), kind)
    sent = with_exif(image, bytes(block)) if kind == "JPEG" else encode(corner(), kind, exif=bytes(block) or b"x")
    assert decode(sent).shape in ((20, 40, 3), (40, 20, 3))


@given(st.binary(max_size=200))
def test_orientation_of_any_bytes(block: bytes) -> None:
    assert 1 <= orientation(block) <= 8 and 1 <= orientation(b"Exif\0\0MM\0*" + block) <= 8


def test_transparency_is_white() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert decode(encode(clear, "PNG")).min() == 255
    assert decode(encode(clear.convert("LA"), "PNG")).min() == 255
    for mode in ("P", "1", "LA", "CMYK"):
        assert decode(encode(corner(mode), "TIFF" if mode == "CMYK" else "PNG")).shape == (20, 40, 3)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_in_integers(kind: str) -> None:
    deep = np.linspace(100, 60_100, 4096, dtype=np.uint16).reshape(64, 64)
    pixels = decode(encode(Image.fromarray(deep), kind))
    expected = (deep.astype(np.int64) - 100) * 255 // 60_000
    assert (pixels[:, :, 0] == expected).all() and (pixels[:, :, 0] == pixels[:, :, 2]).all()
    assert decode(encode(Image.fromarray(np.full((8, 8), 7, np.uint16)), kind)).max() == 0


def test_floats_that_are_none_do_no_harm() -> None:
    odd = np.array([[np.nan, 0.0, 1.0, np.inf]] * 4, np.float32)
    assert decode(encode(Image.fromarray(odd), "TIFF")).shape == (4, 4, 3)


def test_a_jpeg_without_its_end_is_read_and_half_of_one_is_not() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = encode(Image.fromarray(noise), "JPEG")
    assert (decode(whole[:-2]) == decode(whole)).all()
    with pytest.raises(UnreadableImage):
        decode(whole[: len(whole) // 2])
    grey = encode(Image.new("RGB", (64, 64), (128, 128, 128)), "JPEG")
    assert decode(grey).shape == (64, 64, 3)  # whole, however it looks


def test_pixels_and_sides_are_counted_before_decoding() -> None:
    data = encode(Image.new("RGB", (1001, 1000)), "PNG")
    with pytest.raises(ImageTooLarge, match="1001 x 1000"):
        decode(data[:100], 1_000_000)
    assert decode(data, 1_001_000).shape == (1000, 1001, 3)
    with pytest.raises(ImageTooLarge, match="no side"):
        decode_within(encode(Image.new("L", (70_000, 4)), "PNG"), Limits(10**6))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_large_picture_is_read_smaller_and_its_boxes_fit_what_was_sent(kind: str) -> None:
    image = Image.new("RGB", (1000, 500), "white")
    image.paste("black", (600, 200, 1000, 500))
    decoded = decode_within(encode(image, kind), Limits(10**6, work_pixels=40_000))
    height, width = decoded.pixels.shape[:2]
    assert decoded.size == (1000, 500) and width * height <= 40_000 and abs(width - 2 * height) <= 4
    assert decoded.pixels[int(0.3 * height), int(0.9 * width)].min() > 200
    assert decoded.pixels[int(0.6 * height), int(0.9 * width)].max() < 50
    box = ((0, 0), (width, 0), (width, height), (0, height))
    [line] = as_sent(decoded, [TextLine("A", 0.9, box)])
    assert line.box == ((0, 0), (999, 0), (999, 499), (0, 499))


def test_strips_leave_no_seam() -> None:
    """Scaled in one piece or in strips: the same picture, but for rounding."""
    from ocr_frontend.ocr.pixels import to_pixels

    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 255, (3000, 1200, 3), dtype=np.uint8))
    whole = np.asarray(image.resize((600, 1500), Image.Resampling.BILINEAR), np.int64)
    assert np.abs(to_pixels(image, (600, 1500)) - whole).max() <= 1


def test_boxes_stay_as_they_are_where_nothing_was_scaled() -> None:
    lines = [TextLine("A", 0.9, ((1, 1), (5, 1), (5, 5), (1, 5)))]
    assert list(as_sent(Decoded(np.zeros((10, 20, 3), np.uint8), (20, 10)), lines)) == lines


def test_what_takes_too_much_memory_is_refused_by_its_header() -> None:
    data = encode(Image.new("RGB", (1000, 1000)), "PNG")
    with pytest.raises(ImageTooLarge, match="MB"):
        decode_within(data[:100], Limits(10**7, decode_bytes=10**6))
    progressive = encode(Image.new("RGB", (4000, 2000)), "JPEG", progressive=True)
    plain = encode(Image.new("RGB", (4000, 2000)), "JPEG")
    tight = Limits(10**7, work_pixels=250_000, decode_bytes=10_000_000)
    assert decode_within(plain, tight).size == (4000, 2000)
    with pytest.raises(ImageTooLarge):
        decode_within(progressive, tight)


OTHERS = [
    b"GIF89a", b"PK\x03\x04", b"hello", b"\0" * 100, b"RIFF1234WAVE", b"BM1", b"BMW is a car, and this is a text",
]  # fmt: skip


@pytest.mark.parametrize("data", OTHERS)
def test_other_content(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBPVP8 ", encode(corner(), "BMP")[:30]],
)
def test_headers_without_an_image(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        decode(data)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "BMP"]), data=st.data())
def test_damage_is_refused_or_read_and_nothing_else(kind: str, data: st.DataObject) -> None:
    image = bytearray(encode(Image.linear_gradient("L").resize((64, 48)).convert("RGB"), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        # Headers hold what decoders believe, so they are hit as often as all the rest.
        most = data.draw(st.sampled_from([min(40, len(image)), len(image)])) - 1
        image[data.draw(st.integers(0, most))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(image)))
    try:
        pixels = decode(bytes(image[:end]))
    except FrontError as error:
        assert error.status in (400, 413, 415)
    else:
        assert pixels.ndim == 3 and pixels.shape[2] == 3
