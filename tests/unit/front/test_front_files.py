"""Files as people send them: PDFs in a process of their own, HEIC, several pages, films, hostile ones."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr_frontend.api.pages import chosen_pages, one_page
from ocr_frontend.errors import FrontError, ImageTooLarge, NotAnImage, Unprocessable, UnreadableImage
from ocr_frontend.ocr import pdf
from ocr_frontend.ocr.contents import Contents, Sent, look
from ocr_frontend.ocr.images import decode
from ocr_frontend.ocr.limits import Limits

LIMITS = Limits(10**7)
HEIC = Path(__file__).parents[2] / "support/pictures"


def encode(kind: str, *pages: Image.Image, **options: object) -> bytes:
    out, pages = io.BytesIO(), tuple(page.copy() for page in pages)
    pages[0].save(out, kind, save_all=len(pages) > 1, append_images=pages[1:], **options)
    return out.getvalue()


BLACK, WHITE = Image.new("RGB", (80, 40)), Image.new("RGB", (40, 80), "white")


@pytest.mark.parametrize("kind", ["PDF", "TIFF"])
def test_pages_of_a_file(kind: str) -> None:
    data = encode(kind, BLACK, WHITE, BLACK)
    assert look(data, LIMITS) == Contents(3)
    first, second = decode(data, LIMITS), decode(Sent(data, 2), LIMITS)
    assert first.pixels.mean() < 10 and second.pixels.mean() > 245
    assert first.size[0] > first.size[1] and second.size[0] < second.size[1]
    with pytest.raises(UnreadableImage, match="page"):
        decode(Sent(data, 4), LIMITS)


def test_a_pdf_is_drawn_at_three_hundred_dots_or_as_many_as_are_read() -> None:
    data = encode("PDF", Image.new("RGB", (720, 360), "white"), resolution=72)  # 10 by 5 inches
    assert decode(data, LIMITS).size == (3000, 1500)
    small = decode(data, Limits(10**7, work_pixels=250_000)).size
    assert small[0] * small[1] <= 252_000 and abs(small[0] - 2 * small[1]) <= 2


def test_pdfs_that_are_none() -> None:
    for data in (b"%PDF-1.7 no more", encode("PDF", BLACK)[:200]):
        with pytest.raises(UnreadableImage):
            decode(data, LIMITS)


def test_a_pdf_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)")
    monkeypatch.setattr(pdf, "_CHILD", child)
    with pytest.raises(ImageTooLarge, match="picture"):
        decode(encode("PDF", BLACK), LIMITS)


def test_a_pdf_that_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(ImageTooLarge):
        decode(encode("PDF", Image.new("RGB", (720, 360)), resolution=72), Limits(10**7, decode_bytes=1_000_000))


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_damage_in_a_pdf_is_refused_or_read(data: st.DataObject) -> None:
    file = bytearray(encode("PDF", Image.new("RGB", (16, 16))))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decode(bytes(file), LIMITS).pixels.ndim == 3
    except FrontError as error:
        assert error.status in (400, 413, 415)


def test_heic() -> None:
    data = (HEIC / "corner.heic").read_bytes()
    decoded = decode(data, LIMITS)
    assert decoded.size == (160, 96) and decoded.pixels.dtype == np.uint8
    assert decoded.pixels[5, 5].min() > 200 and decoded.pixels[60, 100].max() < 60
    assert look(data, LIMITS) == Contents(1)


def test_a_heic_of_two_pictures() -> None:
    data = (HEIC / "two.heic").read_bytes()
    assert look(data, LIMITS) == Contents(2)
    assert {decode(Sent(data, page), LIMITS).size for page in (1, 2)} == {(160, 96), (96, 160)}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_in_a_heic_is_refused_or_read(data: st.DataObject) -> None:
    file = bytearray((HEIC / "corner.heic").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decode(bytes(file), LIMITS).pixels.ndim == 3
    except FrontError as error:
        assert error.status in (400, 413, 415)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_films_are_said_to_be_films(kind: str) -> None:
    data = encode(kind, BLACK, Image.new("RGB", (80, 40), "white"))
    assert look(data, LIMITS).moves and look(data, LIMITS).left_out(1) == {"frames_left_out": {}}
    assert not look(encode(kind, BLACK), LIMITS).moves
    assert decode(data, LIMITS).size == (80, 40)


def test_other_files_are_told_what_to_do() -> None:
    with pytest.raises(NotAnImage, match=r"HEIC\. Save it as one of them"):
        decode(b"PK\x03\x04 a text document", LIMITS)


def test_pages_of_a_sender_s_choice() -> None:
    three = Contents(3)
    assert [one_page(text, three) for text in (None, "1", "3")] == [1, 1, 3]
    assert chosen_pages(None, three) == chosen_pages("all", three) == [1, 2, 3]
    assert chosen_pages("3, 1-2,1", three) == [3, 1, 2]
    for text in ("0", "4", "x", "-1", "1-2", "99999", "²"):
        with pytest.raises(Unprocessable):
            one_page(text, three)
    for text in ("0", "4", "x", "1-4", "1,,2", "99999", "²"):
        with pytest.raises(Unprocessable):
            chosen_pages(text, three)
    assert three.left_out(2) == {"pages_left_out": {"pages": 3, "page": 2}} and Contents().left_out(1) == {}
