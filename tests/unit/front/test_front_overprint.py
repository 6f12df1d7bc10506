"""Writing over a watermark is read without it; everything else stays as it was read."""

import numpy as np
import pytest

from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.overprint import without_overprint
from ocr_frontend.ocr.textline import Box, TextLine

PAPER, INK, PALE = 230, 40, 185
TALL = (20, 150, 320, 200)
VALUE = (30, 165, 180, 185)


def box(left: int, top: int, right: int, bottom: int) -> Box:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def page(light: float = 1.0, value: bool = True) -> tuple[Pixels, list[TextLine]]:
    """Five lines in ink, and a pale band in a tall box, with a value in ink on it or none."""
    image = np.full((260, 400, 3), PAPER, np.float32)
    lines = []
    for n in range(5):
        image[12 + 25 * n : 28 + 25 * n : 2, 22:200] = INK
        lines.append(TextLine(f"LINE {n}", 0.99, box(20, 10 + 25 * n, 210, 30 + 25 * n)))
    left, top, right, bottom = TALL
    image[top + 5 : bottom - 5, left + 150 : right - 5] = PALE
    if value:
        left, top, right, bottom = VALUE
        image[top:bottom:2, left:right] = INK
    return (image * light).astype(np.uint8), [*lines, TextLine("OBAAKOOUMEN", 0.98, box(*TALL))]


class Eyes:
    """Reads what is dark as one line around it."""

    def __init__(self, *seen: TextLine) -> None:
        self.seen, self.pictures = list(seen), list[Pixels]()

    def read(self, pixels: Pixels) -> list[TextLine]:
        self.pictures.append(pixels)
        return self.seen


def over(left: int = VALUE[0], top: int = VALUE[1], score: float = 0.97, height: int = 20) -> TextLine:
    """In pixels of the part, which begins a fifth of a line before the tall box."""
    x, y = left - TALL[0] + 4, top - TALL[1] + 4
    return TextLine("OBAAKOOUM", score, box(x, y, x + 150, y + height))


@pytest.mark.parametrize("light", [1.0, 0.6, 0.3])
def test_a_value_over_a_watermark_is_read_without_it(light: float) -> None:
    image, lines = page(light)
    eyes = Eyes(over())
    found = without_overprint(eyes.read, image, lines)
    assert [line.text for line in found] == [*(f"LINE {n}" for n in range(5)), "OBAAKOOUM"]
    assert found[-1].box == box(30, 165, 180, 185)
    [part] = eyes.pictures
    levels = np.unique(part)
    assert not ((levels > 1.2 * INK * light) & (levels < 0.97 * PAPER * light)).any()  # the pale band is paper


def test_a_watermark_alone_is_not_looked_at_again() -> None:
    image, lines = page(value=False)
    eyes = Eyes(over())
    assert without_overprint(eyes.read, image, lines) == lines
    assert not eyes.pictures


@pytest.mark.parametrize(
    "seen",
    [
        (),
        (over(height=48),),  # as high as the box: it is what was read
        (over(score=0.5),),  # hardly to be read
        (over(), over(left=100, score=0.3)),  # not all of it can be read
        (over(top=240),),  # the next line
    ],
)
def test_what_does_not_read_better_stays(seen: tuple[TextLine, ...]) -> None:
    image, lines = page()
    assert without_overprint(Eyes(*seen).read, image, lines) == lines


def test_pages_of_one_height_or_of_few_lines_cost_nothing() -> None:
    image, lines = page()
    eyes = Eyes(over())
    assert without_overprint(eyes.read, image, lines[:-1]) == lines[:-1]
    assert without_overprint(eyes.read, image, lines[3:]) == lines[3:]
    assert without_overprint(eyes.read, image, []) == []
    assert not eyes.pictures


def test_boxes_that_leave_the_picture_are_no_fault() -> None:
    image, lines = page()
    outside = [TextLine("X", 0.9, box(-40, -30, -5, -10)), TextLine("Y", 0.9, box(390, 200, 520, 330))]
    found = without_overprint(Eyes().read, image, [*lines, *outside])
    assert found == [*lines, *outside]
