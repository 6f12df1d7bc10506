"""Turned pictures and pictures that are no card."""

import random

import pytest
from PIL import Image

from adapters.data.distractors import KINDS, draw_other
from adapters.data.rotated import MOST_TILT, turned


def test_quarters_turn_against_the_clock() -> None:
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 0, 0))
    places = {"90": (0, 3), "180": (3, 1), "270": (1, 0)}
    for turn, place in places.items():
        found = turned(image, turn, random.Random(0))  # type: ignore[arg-type]
        assert found.getpixel(place) == (255, 0, 0)


def test_a_tilt_keeps_the_whole_picture_and_depends_on_the_seed_alone() -> None:
    image = Image.new("RGB", (300, 200), "white")
    found = turned(image, "tilted", random.Random(5))
    assert found.width > 300 and found.height > 200 and MOST_TILT <= 25
    assert found.tobytes() == turned(image, "tilted", random.Random(5)).tobytes()


@pytest.mark.parametrize("kind", list(KINDS))
def test_others_are_drawn_alike_every_time(kind: str) -> None:
    assert draw_other(kind, 1, 0).tobytes() == draw_other(kind, 1, 0).tobytes()
    if kind != "blank":
        assert draw_other(kind, 1, 0).tobytes() != draw_other(kind, 1, 1).tobytes()
