"""PDFs: how many pages, and one of them as pixels. The work is done by `pdf_child`, in a process with limits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ocr_frontend.errors import ImageTooLarge, UnreadableImage
from ocr_frontend.ocr.limits import Limits
from ocr_frontend.ocr.pixels import Pixels

_CHILD = Path(__file__).with_name("pdf_child.py")
_SECONDS = 10  # of a processor; a page of a scanned card takes a tenth of one
_HEAD = 1024  # bytes in which the signature may stand


def is_pdf(data: bytes) -> bool:
    """By its content."""
    return b"%PDF-" in data[:_HEAD]


def pages_of(data: bytes, limits: Limits) -> int:
    """Raises UnreadableImage and ImageTooLarge."""
    answer, _ = _asked(data, limits)
    return int(answer["pages"])


def draw(data: bytes, page: int, limits: Limits) -> Pixels:
    """A page (from 1) at 300 dots an inch, or fewer where that is more than is read. Raises as `pages_of` does."""
    answer, pixels = _asked(data, limits, page, limits.work_pixels, limits.work_side)
    if "size" not in answer:
        raise UnreadableImage(f"The PDF has {answer['pages']} pages.")
    width, height = answer["size"]
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def _asked(data: bytes, limits: Limits, *drawn: int) -> tuple[dict[str, Any], bytes]:
    command = [sys.executable, "-I", str(_CHILD), str(limits.decode_bytes), str(_SECONDS), *map(str, drawn)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=6 * _SECONDS, check=False, env={})
    except subprocess.TimeoutExpired:
        raise _too_much() from None
    head, _, rest = done.stdout.partition(b"\n")
    if done.returncode != 0 or not head:
        raise _too_much()
    answer: dict[str, Any] = json.loads(head)
    match answer.get("error"):
        case None:
            return answer, rest
        case "password":
            raise UnreadableImage("The PDF takes a password; send it without one.")
        case "memory":
            raise _too_much()
    raise UnreadableImage("The PDF is cut off or damaged.")


def _too_much() -> ImageTooLarge:
    return ImageTooLarge("The PDF takes more memory or time than one may; send its page as a picture.")
