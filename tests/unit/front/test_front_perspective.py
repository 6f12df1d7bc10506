"""A card photographed from the side: its edges are found, and where they converge it is read from a flat copy."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocr_frontend.ocr.card_edges import convergence, find_card
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.perspective import flattening, moved, read_flat
from ocr_frontend.ocr.textline import Box, TextLine
from ocr_frontend.settings import SettingsError, load_settings

WIDTH, HEIGHT = 856, 540
FRONTAL = [(172, 130), (1028, 130), (1028, 670), (172, 670)]
TURNED = [(256, 60), (1081, 280), (943, 800), (118, 580)]
ASLANT = [(200, 110), (1000, 220), (1010, 600), (190, 730)]  # its right side is farther away
LEANING = [(290, 180), (930, 160), (1080, 640), (130, 660)]  # its upper side is
UPRIGHT = [(420, 60), (800, 60), (900, 790), (330, 800)]  # a portrait card
TEXTS = ("NOM/SURNAME", "MBARGA", "SEXE/SEX", "F", "TAILLE/HEIGHT", "1,66")
TEXT_BOX: Box = ((60, 90), (460, 90), (460, 130), (60, 130))


def card(wide: int = WIDTH, high: int = HEIGHT) -> Pixels:
    """Light, with dark bars where lines stand and a grey photo."""
    image = np.full((high, wide, 3), (215, 228, 222), np.uint8)
    cv2.rectangle(image, (40, 160), (220, 400), (150, 150, 150), -1)
    for y in range(60, high - 60, 50):
        cv2.rectangle(image, (260, y), (260 + wide // 3, y + 18), (40, 40, 50), -1)
    return image


def photo(corners: list[tuple[int, int]], table: int = 90, size: tuple[int, int] = (1200, 860)) -> Pixels:
    """The card with its corners there, on a table with some grain."""
    high = np.linalg.norm(np.subtract(corners[3], corners[0])) > np.linalg.norm(np.subtract(corners[1], corners[0]))
    wide, tall = (HEIGHT, WIDTH) if high else (WIDTH, HEIGHT)
    flat = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, np.array(corners, np.float32))
    scene = np.random.default_rng(7).normal(table, 4, (size[1], size[0], 3)).clip(0, 255).astype(np.uint8)
    warped = cv2.warpPerspective(card(wide, tall), matrix, size)
    inside = cv2.warpPerspective(np.full((tall, wide), 255, np.uint8), matrix, size) > 127
    scene[inside] = warped[inside]
    return scene


@pytest.mark.parametrize("corners", [FRONTAL, TURNED, ASLANT, LEANING, UPRIGHT])
@pytest.mark.parametrize("table", [30, 150])
def test_the_corners_are_found(corners: list[tuple[int, int]], table: int) -> None:
    found = find_card(photo(corners, table))
    assert found is not None
    assert np.abs(found - np.array(corners)).max() < 6


def test_convergence_is_nought_from_the_front_and_large_from_the_side() -> None:
    for corners, least, most in ((FRONTAL, 0, 0.1), (TURNED, 0, 1), (ASLANT, 14, 20), (LEANING, 30, 40)):
        assert least <= convergence(np.array(corners, np.float64)) <= most


def noise(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (700, 900, 3)).astype(np.uint8)


def text_page() -> Pixels:
    page = np.full((1100, 800, 3), 255, np.uint8)
    for i, y in enumerate(range(80, 1000, 30)):
        cv2.putText(page, "the quick brown fox jumps"[: 12 + i % 13], (60, y), 0, 1.2, (0, 0, 0), 2)
    return page


@pytest.mark.parametrize(
    "image",
    [
        *(noise(seed) for seed in range(4)),
        cv2.resize(noise(5)[:20, :25], (900, 700)),  # blotches
        text_page(),
        card(),  # a scan: the card is the whole picture
        np.zeros((600, 900, 3), np.uint8),
        photo(ASLANT)[:, :800],  # cut off
        photo([(300, 250), (800, 250), (800, 750), (300, 750)]),  # a square
        photo([(500, 400), (740, 430), (743, 560), (497, 600)]),  # far away
        photo(ASLANT, table=222),  # hardly told from the table
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((3, 4000, 3), np.uint8),
    ],
)
def test_nothing_is_found_where_no_card_is_seen_whole(image: Pixels) -> None:
    assert find_card(image) is None


class Camera:
    """Reads one line of every picture as it is told to, and keeps the pictures' sizes."""

    def __init__(self, *scores: float) -> None:
        self.sizes: list[tuple[int, ...]] = []
        self._scores = list(scores)

    def __call__(self, image: Pixels) -> list[TextLine]:
        self.sizes.append(image.shape)
        score = self._scores.pop(0)
        return [TextLine(text if score > 0.8 else "7W|!", score, TEXT_BOX) for text in TEXTS]


@pytest.mark.parametrize("corners", [FRONTAL, TURNED])
def test_a_card_seen_from_the_front_is_read_as_it_was_sent(corners: list[tuple[int, int]]) -> None:
    camera, image = Camera(0.98), photo(corners)
    assert read_flat(camera, image, 6.0)[0].box == TEXT_BOX
    assert camera.sizes == [image.shape]


def test_a_card_seen_from_the_side_is_read_flat_and_its_boxes_lie_on_the_picture_as_sent() -> None:
    camera, image = Camera(0.98), photo(ASLANT)
    lines = read_flat(camera, image, 6.0)
    assert [line.text for line in lines] == list(TEXTS)
    [(height, width, _)] = camera.sizes
    assert width / height == pytest.approx(1.56, abs=0.03) and width * height <= image.shape[0] * image.shape[1]
    # The box's upper left corner is so far from the card's, on the flat card and on the picture.
    margin = 0.03 * width / 1.06
    inside = (60 - margin) / (width - 2 * margin) * WIDTH, (90 - margin) / (height - 2 * margin) * HEIGHT
    flat = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, np.array(ASLANT, np.float32))
    expected = cv2.perspectiveTransform(np.array([[inside]]), matrix)[0, 0]
    assert np.abs(expected - lines[0].box[0]).max() < 8


def test_a_flat_copy_that_reads_badly_is_given_up() -> None:
    # Two readings of the copy (as it is, and upside down), then the picture as sent.
    camera, image = Camera(0.5, 0.5, 0.98), photo(ASLANT)
    assert read_flat(camera, image, 6.0)[0].box == TEXT_BOX
    assert camera.sizes[-1] == image.shape and len(camera.sizes) == 3


def test_a_card_on_its_side_and_in_perspective_is_turned_as_well() -> None:
    camera = Camera(0.5, 0.98)
    lines = read_flat(camera, np.ascontiguousarray(photo(ASLANT)[::-1, ::-1]), 6.0)
    assert len(camera.sizes) == 2 and lines[0].text == TEXTS[0]
    (x, y), *_ = lines[0].box  # the upper left of an upside-down card lies below on the right
    assert x > 600 and y > 430


def test_the_setting_reaches_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_FRONT_PERSPECTIVE", "7.5")
    assert load_settings().ocr_options().perspective == 7.5
    monkeypatch.setenv("OCR_FRONT_PERSPECTIVE", "-1")
    with pytest.raises(SettingsError, match="OCR_FRONT_PERSPECTIVE"):
        load_settings()


shift = st.integers(-90, 90)


@given(st.lists(st.tuples(shift, shift), min_size=4, max_size=4), st.floats(0.5, 4), st.data())
def test_boxes_come_back_to_where_they_were(shifts: list[tuple[int, int]], scale: float, data: st.DataObject) -> None:
    corners: NDArray[np.float64] = (np.array(FRONTAL, np.float64) + np.array(shifts)) * scale
    size = round(1200 * scale), round(860 * scale)
    matrix, (wide, high) = flattening(corners, size[0] * size[1])
    assert wide * high <= size[0] * size[1]
    weights = [data.draw(st.floats(0.05, 1)) for _ in range(4)]
    inside = corners.T @ np.array(weights) / sum(weights)
    x, y = (round(value) for value in inside.tolist())
    box: Box = ((x, y), (x + 9, y), (x + 9, y + 5), (x, y + 5))
    flat = moved(box, matrix, (wide, high))
    assert all(0 <= px < wide and 0 <= py < high for px, py in flat)
    back = np.array(moved(flat, np.linalg.inv(matrix), size))
    # A whole pixel of the flat picture may be several of the other where that is seen closer.
    assert np.abs(back - np.array(box)).max() <= 2 + 2 * scale
    # The card's upper left corner keeps the margin.
    target = cv2.perspectiveTransform(corners[None], matrix)[0]
    assert target[0] == pytest.approx([0.03 * max(wide, high) / 1.06] * 2, rel=0.05)
    assert max(wide, high) / min(wide, high) == pytest.approx(1.06 / (1 / 1.586 + 0.06), rel=0.02)
