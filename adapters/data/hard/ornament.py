"""Security print of our own: guilloche, microprint, words behind the text, a hologram over it. No state's artwork."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from adapters.data.card_layout import Box
from adapters.data.fonts import load
from adapters.data.hard.page import Colour

_TINTS: tuple[tuple[Colour, Colour], ...] = (
    ((232, 242, 230), (240, 232, 220)),
    ((226, 236, 244), (240, 240, 228)),
    ((246, 236, 226), (228, 240, 236)),
    ((240, 240, 238), (222, 228, 232)),
    ((236, 228, 240), (228, 242, 232)),
)
_MICRO = "REPUBLIQUEDUCAMEROUN·SPECIMEN·PAIXTRAVAILPATRIE·"
_BEHIND = ("TRAVAIL", "PATRIE", "PAIX", "CMR", "CAMEROUN", "SPECIMEN", "RC", "IDENTITE")
_OVER = ("CMR", "SPECIMEN", "RC", "CAMEROUN", "CNI", "OK")


def background(rng: random.Random, size: tuple[int, int], file: str) -> Image.Image:
    """A tint with some of guilloche, microprint and large pale words; always one SPECIMEN."""
    first, second = rng.choice(_TINTS)
    mask = Image.linear_gradient("L").resize(size)
    image = Image.composite(Image.new("RGB", size, first), Image.new("RGB", size, second), mask)
    draw = ImageDraw.Draw(image)
    tone: Colour = tuple(c - rng.randrange(12, 34) for c in rng.choice((first, second)))  # type: ignore[assignment]
    if rng.random() < 0.8:
        _guilloche(rng, draw, size, tone)
    if rng.random() < 0.7:
        _microprint(rng, draw, size, file, tone)
    for word in ("SPECIMEN", *rng.sample(_BEHIND, rng.randrange(0, 4))):
        at = (rng.uniform(0, size[0] * 0.7), rng.uniform(0, size[1] * 0.9))
        draw.text(at, word, fill=tone, font=load(file, rng.randrange(46, 120)))
    return image


def _guilloche(rng: random.Random, draw: ImageDraw.ImageDraw, size: tuple[int, int], tone: Colour) -> None:
    """Bundles of waves, or rosettes of turning ellipses' outlines."""
    steps = np.linspace(0, 1, 220)
    for _ in range(rng.randrange(1, 3)):
        swing, waves, y = rng.uniform(20, 120), rng.uniform(1, 4), rng.uniform(0, size[1])
        for line in range(rng.randrange(12, 30)):
            height = y + line * 7 + swing * np.sin(2 * math.pi * waves * steps + line * 0.21)
            draw.line(list(zip((steps * size[0]).tolist(), height.tolist(), strict=True)), fill=tone, width=1)
    if rng.random() < 0.6:
        centre, reach = (rng.uniform(0, size[0]), rng.uniform(0, size[1])), rng.uniform(90, 260)
        turns = np.linspace(0, 2 * math.pi, 300)
        for line in range(rng.randrange(10, 24)):
            radius = reach * (0.55 + 0.45 * np.cos(rng.choice((5, 6, 8)) * turns + line * 0.26))
            xs, ys = centre[0] + radius * np.cos(turns), centre[1] + radius * np.sin(turns)
            draw.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=tone, width=1)


def _microprint(rng: random.Random, draw: ImageDraw.ImageDraw, size: tuple[int, int], file: str, tone: Colour) -> None:
    """Rows of tiny letters."""
    font = load(file, rng.randrange(7, 11))
    for _ in range(rng.randrange(2, 9)):
        draw.text((rng.uniform(-200, 0), rng.uniform(0, size[1])), _MICRO * 12, fill=tone, font=font)


def hologram(rng: random.Random, image: Image.Image, file: str) -> Image.Image:
    """A translucent film with letters over part of the card."""
    width, height = image.size
    film = Image.new("RGB", image.size, (0, 0, 0))
    ramp = np.linspace(0, 2 * math.pi * rng.uniform(1, 3), width)
    hues = np.stack([190 + 60 * np.sin(ramp + shift) for shift in (0, 2.1, 4.2)], -1)
    film = Image.fromarray(np.broadcast_to(hues[None], (height, width, 3)).astype(np.uint8))
    alpha = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(alpha)
    for _ in range(rng.randrange(1, 4)):
        x, y, reach = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(110, 320)
        draw.ellipse((x - reach, y - reach * 0.7, x + reach, y + reach * 0.7), fill=rng.randrange(20, 60))
        for row in range(rng.randrange(1, 4)):
            at = (x - reach * 0.8, y - reach * 0.5 + row * reach * 0.4)
            draw.text(at, rng.choice(_OVER) + " ", fill=rng.randrange(70, 120), font=load(file, int(reach * 0.3)))
    return Image.composite(film, image, alpha.filter(ImageFilter.GaussianBlur(1.2)))


def portrait(rng: random.Random, draw: ImageDraw.ImageDraw, box: Box) -> None:
    """A grey head and shoulders: no face, nobody's."""
    left, top, right, bottom = box
    width, height, grey = right - left, bottom - top, rng.randrange(120, 190)
    draw.rectangle(box, fill=(grey + 50,) * 3)
    draw.ellipse((left + width * 0.28, top + height * 0.14, right - width * 0.28, top + height * 0.6), fill=(grey,) * 3)
    shoulders = (left + width * 0.08, top + height * 0.62, right - width * 0.08, bottom + height * 0.4)
    draw.pieslice(shoulders, 180, 360, fill=(grey,) * 3)
