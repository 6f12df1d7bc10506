"""Pictures made to cost as much as they can: small files of many pixels, deep values, all scans at once."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

WIDE, HIGH = 9_990, 5_000  # 49.95 million pixels: just within the limit of 50
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _flat(mode: str, width: int = WIDE, height: int = HIGH) -> Image.Image:
    return Image.new(mode, (width, height), None if mode == "1" else 0)


def _noise(width: int, height: int) -> Image.Image:
    small = np.random.default_rng(5).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _zeros(length: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    body = b"".join(packer.compress(block) for _ in range(length >> 20))
    return body + packer.compress(bytes(length & ((1 << 20) - 1))) + packer.flush()


def png(width: int, height: int, depth: int, colour: int, *, interlaced: bool = False, extra: bytes = b"") -> bytes:
    """A black PNG by hand. colour: 0 grey, 2 RGB, 3 palette, 6 RGBA; extra: chunks before the data."""
    bits = depth * {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    sizes = [(width, height)]
    if interlaced:
        sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in _PASSES]
    length = sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    palette = _chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    data = _chunk(b"IDAT", _zeros(length))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + palette + extra + data + _chunk(b"IEND", b"")


def _many_segments() -> bytes:
    jpeg = _saved(_noise(400, 300), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", 65_535) + b"Exif\0\0" + bytes(65_527)
    return jpeg[:2] + segment * 250 + jpeg[2:]


def _odd_exif() -> bytes:
    exif = (
        b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 0xFFFF) + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + bytes(30_000)
    )
    return _saved(_noise(400, 300), "PNG", exif=exif)


def _pdf(image: str, data: bytes, box: str = "0 0 612 792", content: bytes = b"q 612 0 0 792 0 0 cm /I Do Q") -> bytes:
    """A PDF of one page that shows one picture."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 5 0 R/Resources<</XObject<</I 4 0 R>>>>>>".encode(),
        f"<</Type/XObject/Subtype/Image{image}/Filter/FlateDecode/Length {len(data)}>>".encode() + b"stream\n" + data
        + b"\nendstream",
        f"<</Length {len(content)}>>".encode() + b"stream\n" + content + b"\nendstream",
    ]  # fmt: skip
    out = b"%PDF-1.7\n"
    for number, body in enumerate(bodies, 1):
        out += f"{number} 0 obj".encode() + body + b"endobj\n"
    return out + b"trailer<</Root 1 0 R/Size 6>>\n%%EOF\n"


def _pdf_picture(side: int) -> bytes:
    image = f"/Width {side}/Height {side}/ColorSpace/DeviceRGB/BitsPerComponent 8"
    return _pdf(image, _zeros(3 * side * side))


PICTURES: dict[str, Callable[[], bytes]] = {
    "an ordinary photo, 12 MP JPEG": lambda: _saved(_noise(4000, 3000), "JPEG"),
    "PNG, 16-bit grey, 50 MP": lambda: png(WIDE, HIGH, 16, 0),
    "PNG, 16-bit RGB, 50 MP": lambda: png(WIDE, HIGH, 16, 2),
    "PNG, 16-bit RGBA, 50 MP": lambda: png(WIDE, HIGH, 16, 6),
    "PNG, RGB, 50 MP": lambda: png(WIDE, HIGH, 8, 2),
    "PNG, RGB interlaced, 50 MP": lambda: png(WIDE, HIGH, 8, 2, interlaced=True),
    "PNG, palette, 50 MP": lambda: png(WIDE, HIGH, 8, 3),
    "PNG, one bit, 50 MP": lambda: png(WIDE, HIGH, 1, 0),
    "PNG, one bit, 400 MP": lambda: png(20_000, 20_000, 1, 0),
    "PNG, 65,000 x 760": lambda: png(65_000, 760, 8, 2),
    "PNG, 300,000 x 100": lambda: png(300_000, 100, 8, 2),
    "PNG, text chunk of 200 MB": lambda: png(400, 300, 8, 2, extra=_chunk(b"zTXt", b"a\0\0" + _zeros(200 << 20))),
    "PNG, colour profile of 200 MB": lambda: png(400, 300, 8, 2, extra=_chunk(b"iCCP", b"a\0\0" + _zeros(200 << 20))),
    "PNG, senseless EXIF": _odd_exif,
    "JPEG, 50 MP": lambda: _saved(_flat("RGB"), "JPEG"),
    "JPEG, progressive 4:4:4, 50 MP": lambda: _saved(_flat("RGB"), "JPEG", progressive=True, subsampling=0),
    "JPEG, progressive CMYK, 50 MP": lambda: _saved(_flat("CMYK"), "JPEG", progressive=True),
    "JPEG, 250 EXIF segments": _many_segments,
    "WebP, lossless, 49 MP": lambda: _saved(_flat("RGB", 16_383, 3_000), "WEBP", lossless=True),
    "WebP, with alpha, 49 MP": lambda: _saved(_flat("RGBA", 16_383, 3_000), "WEBP", quality=50),
    "TIFF, RGB deflate, 50 MP": lambda: _saved(_flat("RGB"), "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, CMYK LZW, 50 MP": lambda: _saved(_flat("CMYK"), "TIFF", compression="tiff_lzw"),
    "TIFF, floats, 50 MP": lambda: _saved(_flat("F"), "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, 16-bit grey, 50 MP": lambda: _saved(
        Image.fromarray(np.zeros((HIGH, WIDE), np.uint16)), "TIFF", compression="tiff_adobe_deflate"
    ),
    "BMP, one bit, 50 MP": lambda: _saved(_flat("1"), "BMP"),
    "PDF, a picture of 50 MP": lambda: _pdf_picture(7_000),
    "PDF, a picture of 400 MP": lambda: _pdf_picture(20_000),
    "PDF, a page of 200 m": lambda: _pdf(
        "/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", b"x", "0 0 600000 600000"
    ),
    "PDF, one picture drawn 20,000 times": lambda: _pdf(
        "/Width 2000/Height 2000/ColorSpace/DeviceRGB/BitsPerComponent 8",
        _zeros(12_000_000),
        content=b"q 612 0 0 792 0 0 cm /I Do Q " * 20_000,
    ),
    "a text that begins with BM": lambda: b"BMW " * 100_000,
}
