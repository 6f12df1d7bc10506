"""Turned and tilted pictures: which way up they are, in what order their lines are read, where the boxes end up."""

import math

import numpy as np
import pytest

from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.orientation import in_reading_order, levelled, read_upright, slope
from ocr_frontend.ocr.textline import Box, TextLine

WIDTH, HEIGHT = 400, 240
TEXTS = (
    "NOM/SURNAME",
    "MBARGA",
    "DATE DE NAISSANCE/DATE OF BIRTH",
    "01.02.1990",
    "SEXE/SEX",
    "TAILLE/HEIGHT",
    "F",
    "1,66",
)
PLACES = ((20, 20), (20, 50), (20, 80), (20, 110), (20, 140), (220, 140), (20, 170), (220, 170))


def quad(x: int, y: int, wide: int = 160, high: int = 20) -> Box:
    return (x, y), (x + wide, y), (x + wide, y + high), (x, y + high)


CARD = [TextLine(text, 0.98, quad(*place)) for text, place in zip(TEXTS, PLACES, strict=True)]


class Camera:
    """Reads a picture whose first row says which way up it is, as PaddleOCR would: badly unless it is upright."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, image: Pixels) -> list[TextLine]:
        self.reads += 1
        corner = {(255, 0, 0, 0): 0, (0, 255, 0, 0): 3, (0, 0, 255, 0): 2, (0, 0, 0, 255): 1}
        marks = (image[0, 0, 0], image[0, -1, 0], image[-1, -1, 0], image[-1, 0, 0])
        turned = corner[tuple(int(mark) for mark in marks)]  # quarter turns against the clock that it was given
        if turned == 0:
            return CARD
        if turned == 2:
            return [TextLine("7W|!", 0.6, line.box) for line in CARD]
        text = (lambda line: line) if turned == 3 else (lambda line: TextLine("7W|!", 0.6, line.box))
        return [TextLine(text(line).text, text(line).confidence, quad(*line.box[0], 20, 160)) for line in CARD]


def picture() -> Pixels:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[0, 0] = 255
    return image


@pytest.mark.parametrize(("turns", "reads"), [(0, 1), (1, 2), (2, 2), (3, 2)])
def test_a_turned_picture_is_read_upright_and_its_boxes_are_those_of_the_picture_as_sent(
    turns: int, reads: int
) -> None:
    camera = Camera()
    found = read_upright(camera, np.ascontiguousarray(np.rot90(picture(), turns)))
    assert [line.text for line in found] == list(TEXTS)
    assert camera.reads == reads
    # The corner (20, 20) of the upright picture, where it went.
    places = {0: (20, 20), 1: (20, WIDTH - 1 - 20), 2: (WIDTH - 21, HEIGHT - 21), 3: (HEIGHT - 21, 20)}
    assert found[0].box[0] == places[turns]


def test_a_picture_that_is_no_better_turned_stays_as_it_is() -> None:
    dirt = [TextLine("|", 0.4, quad(5, 5))]
    assert read_upright(lambda image: dirt, picture()) == dirt
    assert read_upright(lambda image: [], picture()) == []


def tilted(degrees: float) -> list[TextLine]:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def turn(x: int, y: int) -> tuple[int, int]:
        return round(x * cosine - y * sine), round(x * sine + y * cosine)

    found = [TextLine(line.text, 0.98, tuple(turn(x, y) for x, y in line.box)) for line in CARD]  # type: ignore[arg-type]
    return sorted(found, key=lambda line: (line.box[0][1], line.box[0][0]))  # the reader's own order


@pytest.mark.parametrize("degrees", [-25, -12, -3, 0, 3, 12, 25])
def test_tilted_lines_are_read_by_rows(degrees: float) -> None:
    lines = tilted(degrees)
    assert slope(lines) == pytest.approx(math.radians(degrees), abs=0.02)
    assert [line.text for line in in_reading_order(lines)] == list(TEXTS)
    assert set(in_reading_order(lines)) == set(lines)
    level = {line.text: line.box for line in levelled(lines)}
    assert all(abs(box[0][1] - box[1][1]) <= 3 for box in level.values())


def test_one_box_askew_does_not_move_the_slope() -> None:
    assert slope([*CARD, TextLine("X", 0.5, ((0, 0), (0, 90), (-90, 90), (-90, 0)))]) == pytest.approx(0, abs=0.02)


def test_a_tilted_picture_on_its_side_is_known_whichever_corner_its_boxes_begin_at() -> None:
    """As PaddleOCR finds the sample card turned by a quarter: the first side of each box is its long one."""
    upright, asked = tilted(-8), []
    bad = [TextLine("7W|!", 0.77, ((388, 958), (411, 1115), (446, 1109), (423, 953))) for _ in CARD]

    def read(image: Pixels) -> list[TextLine]:
        asked.append(int(image[0, 0, 0]))
        return upright if image[0, 0, 0] else bad

    found = read_upright(read, np.ascontiguousarray(np.rot90(picture(), 1)))
    assert [line.text for line in found] == list(TEXTS) and asked == [0, 255]
