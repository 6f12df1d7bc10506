"""Small text on large pictures is looked at again; mirrored pictures are flipped. Boxes stay where they were sent."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import builtin
from ocr_frontend.ocr.exif import stored, upright
from ocr_frontend.ocr.images import Limits, Pixels, Rectangle, decode, decode_part
from ocr_frontend.ocr.look import Seen
from ocr_frontend.ocr.memory import Gate
from ocr_frontend.ocr.regions import blocks, regions, tiles
from ocr_frontend.ocr.scan import scan
from ocr_frontend.ocr.second_look import Looker
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO
from tests.unit.front.scenes import Eyes, Written, card, picture

LABELS = Classifier(builtin()).labels
A4, PHOTO = (2480, 3508), (4000, 3000)


def looked(eyes: Eyes, size: tuple[int, int], image: Pixels | None = None) -> Seen:
    image = picture(*size) if image is None else image

    def cut(part: Rectangle) -> Pixels:
        left, top, right, bottom = part
        return np.ascontiguousarray(image[top:bottom, left:right])

    return Looker(eyes.read, LABELS, 960).look(image, cut)


@pytest.mark.parametrize(
    ("size", "height", "reads"),
    [
        ((1280, 960), 24, 1),  # fills the picture: nothing to look at again
        (A4, 60, 1),  # large enough on a page
        (A4, 30, 2),  # seen, but small: the region once more
        (A4, 22, 6),  # not seen at all: four tiles, then the region
        (PHOTO, 20, 6),
    ],
)
def test_only_small_text_is_looked_at_again(size: tuple[int, int], height: int, reads: int) -> None:
    eyes = Eyes(card(RECTO, 160, 160, height))
    found = looked(eyes, size)
    assert [line.text for line in found.lines] == list(RECTO) and not found.mirrored
    assert len(eyes.seen) <= reads and (len(eyes.seen) == 1) == (reads == 1)


def test_boxes_are_those_of_the_picture_as_sent() -> None:
    written = card(RECTO, 1600, 1200, 22)
    found = looked(Eyes(written), PHOTO)
    for line, there in zip(found.lines, written, strict=True):
        (left, top), _, (right, bottom), _ = line.box
        assert abs(left - there.left) <= STEPS and abs(top - there.top) <= STEPS
        assert abs(right - there.left - there.width) <= STEPS and abs(bottom - there.top - there.height) <= STEPS


STEPS = 18  # the scene says where it is to 16 pixels


def test_what_stands_elsewhere_on_the_page_stays_and_keeps_its_place() -> None:
    title = Written("CERTIFIED COPY", 200, 100, 90)
    found = looked(Eyes([title, *card(RECTO, 400, 1600, 30)]), A4)
    assert [line.text for line in found.lines] == [title.text, *RECTO]


def test_two_cards_on_a_page_are_read_once_each() -> None:
    other = [text + " B" for text in RECTO]
    found = looked(Eyes([*card(RECTO, 160, 160, 24), *card(other, 160, 2400, 24)]), A4)
    assert sorted(line.text for line in found.lines) == sorted([*RECTO, *other])


def test_cards_side_by_side_that_are_too_wide_for_one_look_are_not_cut_through() -> None:
    wide = [f"{text} {'X' * 80}"[:80] for text in RECTO]
    other = [text[::-1] for text in wide]
    found = looked(Eyes([*card(wide, 160, 320, 28), *card(other, 1424, 320, 28)]), (3008, 1408))
    assert sorted(line.text for line in found.lines) == sorted([*wide, *other])


def test_a_line_across_the_edge_of_a_part_is_read_whole() -> None:
    title = Written("A TITLE ACROSS ALL OF THE PAGE AND MORE THAN THAT", 100, 1440, 70)
    found = looked(Eyes([title, *card(RECTO, 400, 1600, 30)]), A4)
    assert [line.text for line in found.lines] == [title.text, *RECTO]


def test_an_empty_picture_and_a_page_full_of_text_end() -> None:
    eyes = Eyes([])
    assert looked(eyes, PHOTO).lines == [] and len(eyes.seen) <= 5
    page = card(["A WHOLE LINE OF TEXT OVER ALL OF THE PAGE " * 3] * 60, 100, 100, 30)
    eyes = Eyes(page)
    assert len(looked(eyes, A4).lines) == 60 and len(eyes.seen) == 1


@pytest.mark.parametrize(("size", "height"), [((1280, 960), 24), (PHOTO, 30)])
def test_a_mirrored_picture_is_read_flipped(size: tuple[int, int], height: int) -> None:
    written = card(RECTO, 160, 160, height)
    found = looked(Eyes(written, mirrored=True), size)
    assert found.mirrored and [line.text for line in found.lines] == list(RECTO)
    assert abs(found.lines[0].box[0][0] - (size[0] - 160 - written[0].width)) <= STEPS + 2


def test_nonsense_that_is_none_the_better_flipped_stays_as_it_is() -> None:
    found = looked(Eyes(card(["QWRT ZX", "PLMK", "VBNM TT", "GHJK"]), mirrored=True), (1280, 960))
    assert not found.mirrored


def png(image: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG", compress_level=1)
    return out.getvalue()


def test_a_part_is_decoded_again_where_the_picture_was_read_smaller() -> None:
    data, gate = png(picture(4000, 3000)), Gate(10**9)
    eyes = Eyes(card(RECTO, 1600, 1200, 22))
    limits = Limits(50_000_000, work_pixels=3_000_000)
    page = scan(eyes, data, limits, gate, LABELS)
    assert [line.text for line in page.lines] == list(RECTO) and page.size == (4000, 3000)
    assert abs(page.lines[0].box[0][0] - 1600) <= STEPS and abs(page.lines[0].box[0][1] - 1200) <= STEPS
    assert gate.used == 0


def test_where_there_is_no_memory_for_it_what_was_decoded_has_to_do() -> None:
    out = io.BytesIO()
    Image.fromarray(picture(4000, 3000)).save(out, "JPEG", quality=100, subsampling=0)
    written = card(RECTO, 1600, 1200, 26)
    for memory, widest in ((400_000_000, 1000), (40_000_000, 500)):
        eyes = Eyes(written)
        limits = Limits(50_000_000, work_pixels=3_000_000, decode_bytes=memory)
        page = scan(eyes, out.getvalue(), limits, Gate(memory), LABELS)
        assert page.size == (4000, 3000) and len(page.lines) > len(RECTO) // 2
        assert widest / 2 < eyes.seen[-1][0] <= widest * 1.5


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_part_of_a_turned_picture_is_the_part_that_was_meant(turned: int) -> None:
    image = np.random.default_rng(turned).integers(0, 255, (30, 50, 3), np.uint8)
    whole = upright(image, turned)
    part = (4, 6, 19, 25)
    left, top, right, bottom = stored(part, (50, 30), turned)
    assert np.array_equal(upright(image[top:bottom, left:right], turned), whole[6:25, 4:19])
    exif = Image.Exif()
    exif[0x0112] = turned
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG", exif=exif)
    assert np.array_equal(decode(out.getvalue(), Limits(10**6)).pixels, whole)
    assert np.array_equal(decode_part(out.getvalue(), part, Limits(10**6)), whole[6:25, 4:19])


places = st.tuples(st.integers(0, 3000), st.integers(0, 2000), st.integers(10, 60))


@given(st.lists(places, max_size=40))
def test_regions_lie_on_the_picture_and_hold_their_text(found: Sequence[tuple[int, int, int]]) -> None:
    lines = [
        TextLine("TEXT", 0.9, ((x, y), (x + 2 * high, y), (x + 2 * high, y + high), (x, y + high)))
        for x, y, high in found
    ]
    areas = regions(blocks(lines), PHOTO)
    assert len(areas) <= 4
    for left, top, right, bottom in areas:
        assert 0 <= left < right <= PHOTO[0] and 0 <= top < bottom <= PHOTO[1]


@given(st.integers(1, 13_000), st.integers(1, 13_000))
def test_tiles_cover_the_picture(width: int, height: int) -> None:
    parts = tiles((width, height), 1920)
    assert min(part[0] for part in parts) == 0 and max(part[2] for part in parts) == width
    assert min(part[1] for part in parts) == 0 and max(part[3] for part in parts) == height
    assert all(max(right - left, bottom - top) <= 1920 * 1.31 for left, top, right, bottom in parts)
