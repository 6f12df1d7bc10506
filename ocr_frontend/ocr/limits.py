"""How much of a picture is read, and how much memory its decoding takes, known from its header."""

from dataclasses import dataclass

from PIL import Image

from ocr_frontend.errors import ImageTooLarge

# Bytes that Pillow keeps of one pixel, by mode; four for everything else.
_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
# Bytes a pixel that the decoder needs beside that: frames of libwebp, strips of libtiff, planes of libheif.
_DECODERS = {"WEBP": 12, "TIFF": 4, "HEIF": 2}  # measured: 16 in all for WebP, 6 for HEIC
_RESULT = 6  # RGB bytes, and once more while they are turned
_COEFFICIENTS = 2  # bytes of each of a progressive JPEG's values, which libjpeg keeps until the last scan


@dataclass(frozen=True, slots=True)
class Limits:
    """pixels, side: of the picture as sent; work_pixels, work_side: what it is scaled down to before it is read;
    decode_bytes: of memory for one picture; detection_side: that the detection of text reduces the longest side to."""

    pixels: int
    side: int = 65_500
    work_pixels: int = 12_500_000
    work_side: int = 12_000
    decode_bytes: int = 400_000_000
    detection_side: int = 960

    def check_size(self, width: int, height: int) -> None:
        """Raises ImageTooLarge."""
        if width * height > self.pixels:
            raise ImageTooLarge(f"The image has {width} x {height} pixels; at most {self.pixels} are read.")
        if max(width, height) > self.side:
            raise ImageTooLarge(f"The image has {width} x {height} pixels; no side may have more than {self.side}.")

    def check_memory(self, needed: int) -> None:
        """Raises ImageTooLarge."""
        if needed > self.decode_bytes:
            raise ImageTooLarge(
                f"Decoding the image takes {needed // 10**6} MB; at most {self.decode_bytes // 10**6} MB are given. "
                "Send it with fewer pixels, or as a plain JPEG."
            )

    def work_size(self, width: int, height: int) -> tuple[int, int]:
        """The size that a picture of this size is read at: the same, or smaller in proportion."""
        scale = min(1.0, (self.work_pixels / (width * height)) ** 0.5, self.work_side / max(width, height))
        return (width, height) if scale == 1 else (max(1, int(width * scale)), max(1, int(height * scale)))


def memory_of(image: Image.Image, sent: tuple[int, int], work: tuple[int, int]) -> int:
    """Bytes that decoding takes at most. `sent`: size by the header; the image may be set to decode smaller (JPEG)."""
    pixels = image.width * image.height
    needed = pixels * (_BYTES.get(image.mode, 4) + _DECODERS.get(image.format or "", 0))
    if image.info.get("progressive") or image.info.get("progression"):
        needed += sent[0] * sent[1] * len(image.getbands()) * _COEFFICIENTS
    return needed + work[0] * work[1] * _RESULT
