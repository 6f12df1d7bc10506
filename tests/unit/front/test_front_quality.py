"""The photo's scores, on pictures drawn here."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.quality import measure
from ocr_frontend.ocr.reader import TextLine


def drawn(height: int = 24, left: int = 60, blur: float = 0.0) -> tuple[Pixels, list[TextLine]]:
    """Strokes in the places of three lines of text, of that height."""
    image = np.full((400, 600, 3), 225, np.uint8)
    lines = []
    for top in (60, 160, 260):
        for x in range(left, left + 300, max(4, height // 2)):
            image[top : top + height, x : x + max(2, height // 6)] = 30
        box = ((left, top), (left + 300, top), (left + 300, top + height), (left, top + height))
        lines.append(TextLine("text", 0.9, box))
    soft = Image.fromarray(image).filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(soft), lines


def test_a_good_photo() -> None:
    assert measure(*drawn()) == {"sharpness": 1.0, "glare": 1.0, "resolution": 1.0, "edges": 1.0}


def test_blur_lowers_sharpness_alone() -> None:
    scores = [measure(*drawn(blur=blur)) for blur in (0, 1.5, 3, 5)]
    sharp = [score["sharpness"] for score in scores]
    assert sharp == sorted(sharp, reverse=True) and sharp[0] > 0.9 and sharp[-1] < 0.4
    assert all(score["edges"] == score["resolution"] == 1.0 for score in scores)


def test_small_text() -> None:
    assert measure(*drawn(height=8))["resolution"] == pytest.approx(8 / 24, abs=0.001)


def test_text_at_the_edge() -> None:
    assert measure(*drawn(left=0))["edges"] == 0.0


def test_a_burnt_out_spot_and_white_paper() -> None:
    image, lines = drawn()
    spot = image.copy()
    spot[100:220, 200:400] = 255
    assert measure(spot, lines)["glare"] < 0.5
    assert measure(np.where(image > 200, 255, image).astype(np.uint8), lines)["glare"] == 1.0


def glare(white: float) -> float:
    """The score of a grey picture of which that share is burnt out."""
    image = np.full((400, 600, 3), 200, np.uint8)
    image[:, : round(600 * white)] = 255
    return measure(image, [])["glare"]


def test_one_white_pixel_more_never_turns_a_reflection_into_paper() -> None:
    scores = [glare(percent / 100) for percent in range(101)]
    assert max(abs(one - next_) for one, next_ in pairwise(scores)) < 0.1
    assert scores[0] == 1.0 and scores[15:41] == [0.0] * 26 and scores[60:] == [1.0] * 41
    assert scores[40:61] == sorted(scores[40:61])


def test_without_lines_only_glare_is_told() -> None:
    assert set(measure(drawn()[0], [])) == {"glare"}


POINT = st.tuples(st.integers(-50, 700), st.integers(-50, 500))


@given(st.lists(st.tuples(POINT, POINT, POINT, POINT), max_size=4), st.integers(1, 40), st.integers(1, 40))
def test_any_boxes_on_any_picture(boxes: list[tuple[tuple[int, int], ...]], width: int, height: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    scores = measure(image, [TextLine("x", 0.5, box) for box in boxes])  # type: ignore[arg-type]
    assert all(0 <= score <= 1 for score in scores.values())
