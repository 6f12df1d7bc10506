"""How a page is printed: how dark each line is on the picture, and how level it lies."""

import math

import numpy as np
import pytest

from ocr_frontend.extraction.reranker.surroundings import Surroundings
from ocr_frontend.ocr.geometry import tilts
from ocr_frontend.ocr.ink import with_ink
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO, line, page


def stroke(image: np.ndarray, at: TextLine, brightness: int) -> None:
    (left, top), _, (right, bottom), _ = at.box
    image[top + 5 : bottom - 5 : 3, left:right] = brightness


def test_writing_is_as_dark_as_it_is_against_its_own_paper() -> None:
    lines = [line("PRINTED"), line("STAMPED", 2), line("IN THE SHADE", 4), line("BESIDE", left=900)]
    image = np.full((200, 300, 3), 240, np.uint8)
    image[110:] = 120
    for at, brightness in zip(lines, (24, 120, 12), strict=False):
        stroke(image, at, brightness)
    inks = [each.ink for each in with_ink(image, lines)]
    assert inks == [pytest.approx(0.1, abs=0.01), pytest.approx(0.5, abs=0.01), pytest.approx(0.1, abs=0.01), None]


def test_paleness_is_told_from_the_page_s_own_values() -> None:
    inks = {5: 0.2, 7: 0.6, 9: 0.2, 11: 0.2}  # a date, a place, a letter, a height
    lines = [TextLine(each.text, each.confidence, each.box, inks.get(n)) for n, each in enumerate(map(line, RECTO))]
    pale = Surroundings(page("cni-2018-recto", lines)).looks.paleness
    assert pale[5] == 0 and pale[7] == pytest.approx(0.5) and pale[0] is None
    assert set(Surroundings(page("cni-2018-recto", RECTO)).looks.paleness) == {None}


def test_a_tilt_is_told_from_the_page_s_own_text_and_not_of_a_letter() -> None:
    def turned(text: str, row: int, degrees: float) -> TextLine:
        x, y, length = 10, 100 * row, 10 * len(text)
        dx, dy = length * math.cos(math.radians(degrees)), length * math.sin(math.radians(degrees))
        low = (-20 * math.sin(math.radians(degrees)), 20 * math.cos(math.radians(degrees)))
        corners = ((x, y), (x + dx, y + dy), (x + dx + low[0], y + dy + low[1]), (x + low[0], y + low[1]))
        a, b, c, d = ((round(p), round(q)) for p, q in corners)
        return TextLine(text, 0.99, (a, b, c, d))

    lines = [
        *(turned("A LINE OF THE PAGE", row, 5) for row in range(4)),
        turned("SPECIMEN", 5, 35),
        turned("FM", 6, 40),
    ]
    found = tilts(lines)
    assert all(each is not None and each < math.radians(1) for each in found[:4])
    assert found[4] is not None and math.degrees(found[4]) == pytest.approx(30, abs=2)
    assert found[5] is None
