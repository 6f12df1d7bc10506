"""A picture held the wrong way: a quarter, half or three quarters of a turn, or askew by up to 25 degrees."""

import random
from typing import Literal, get_args

from PIL import Image

Turn = Literal["upright", "90", "180", "270", "tilted"]
TURNS: tuple[Turn, ...] = get_args(Turn)
LEAST_TILT, MOST_TILT = 10.0, 25.0  # degrees
_QUARTERS = {
    "90": Image.Transpose.ROTATE_90,
    "180": Image.Transpose.ROTATE_180,
    "270": Image.Transpose.ROTATE_270,
}


def turned(image: Image.Image, turn: Turn, rng: random.Random) -> Image.Image:
    """The picture turned against the clock; what a tilt uncovers has the colour of the picture's corner."""
    if turn == "upright":
        return image
    if turn != "tilted":
        return image.transpose(_QUARTERS[turn])
    angle = rng.uniform(LEAST_TILT, MOST_TILT) * rng.choice((-1, 1))
    corner = image.convert("RGB").getpixel((0, 0))
    return image.convert("RGB").rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=corner)
