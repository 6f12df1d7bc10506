"""What a watermark hides is read once more without it; only what was surely read, in a free place, is added."""

import numpy as np
import pytest

from ocr_frontend.ocr.beneath import with_beneath
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.second_look import Looker
from ocr_frontend.ocr.textline import TextLine
from ocr_frontend.ocr.unanswered import Unanswered

INK, PALE, PAPER = 20, 170, 230


def at(text: str, top: int, score: float = 0.97, left: int = 50, height: int = 20) -> TextLine:
    width = 12 * len(text)
    return TextLine(text, score, ((left, top), (left + width, top), (left + width, top + height), (left, top + height)))


LINES = [at("NOM", 50), at("ACHU", 100), at("PROFESSION", 250), at("MENUISIER", 300)]


def picture() -> Pixels:
    image = np.full((400, 400, 3), PAPER, np.uint8)
    image[:, 200:260] = PALE
    for line in (*LINES, at("M", 200)):
        (left, top), _, (right, bottom), _ = line.box
        image[top:bottom:2, left:right] = INK
    return image


def test_the_part_is_read_without_what_is_paler_and_without_what_was_read() -> None:
    seen = list[Pixels]()
    with_beneath(lambda part: seen.append(part) or [], picture(), LINES)  # type: ignore[func-returns-value]
    [part] = seen
    dark = np.argwhere(part[..., 0] < 128)
    assert len(dark) == 10 * 12  # the letter alone: no watermark, no other line
    assert set(np.unique(part[:, 200:])) == {255}


def test_what_was_surely_read_in_a_free_place_is_added_by_its_height() -> None:
    found = with_beneath(lambda _: [at("M", 210, left=60)], picture(), LINES)
    assert [line.text for line in found] == ["NOM", "ACHU", "M", "PROFESSION", "MENUISIER"]


@pytest.mark.parametrize(
    "seen", [at("M", 210, 0.8), at("ACHU", 110), at("MMMMMMM", 210, height=60), at("m", 210, height=8), at(" ", 210)]
)
def test_nothing_else_is_added(seen: TextLine) -> None:
    assert with_beneath(lambda _: [seen], picture(), LINES) == LINES


def test_what_stands_beneath_a_line_across_the_page_is_added() -> None:
    across = TextLine("SPECIMENM", 0.97, ((20, 240), (220, 170), (230, 200), (30, 270)))
    found = with_beneath(lambda _: [at("M", 210, left=60)], picture(), [*LINES, across])
    assert "M" in [line.text for line in found]


def test_only_a_page_that_lacks_a_value_is_looked_at_again() -> None:
    looks = list[Pixels]()

    def read(pixels: Pixels) -> list[TextLine]:
        looks.append(pixels)
        return LINES

    def looked(missing: list[Unanswered]) -> int:
        looks.clear()
        Looker(read, lambda _: 9, 960, lambda _: missing).look(picture(), lambda _: picture())
        return len(looks)

    assert looked([Unanswered((), (0, 0, 9, 9), "M".__eq__)]) == looked([]) + 1
