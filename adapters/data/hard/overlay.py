"""What comes over a card's print: watermarks across it, a town hall's or a police station's stamp, signatures.

Everything stays pale or thin enough for a person to read the value under it; no office's real stamp is drawn.
"""

import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from adapters.data.fonts import load
from adapters.data.hard.look import FACES
from adapters.data.hard.page import Colour
from adapters.data.hard.wordings import half_of
from adapters.data.lines import Polygon
from adapters.data.render import Card
from adapters.data.vocabulary import Split

_ACROSS = ("SPECIMEN", "SPÉCIMEN", "TEST", "COPIE", "EXEMPLE", "FICTIF", "SAMPLE", "CAMEROUN", "NON VALABLE", "CMR")
_STAMPS = (
    ("COPIE CERTIFIEE", "CONFORME A L'ORIGINAL"), ("VU ET CERTIFIE", "CONFORME"), ("SERVICE DU COURRIER", "ARRIVE LE"),
    ("COMMISSARIAT CENTRAL", "1er ARRONDISSEMENT"), ("MAIRIE", "ETAT CIVIL"), ("SOUS-PREFECTURE", "LE SOUS-PREFET"),
    ("CERTIFIED TRUE COPY",), ("POUR COPIE CONFORME", "LE COMMISSAIRE"), ("RECU", "BUREAU 4"), ("TRIBUNAL", "GREFFE"),
)  # fmt: skip
_INKS: tuple[Colour, ...] = ((40, 50, 160), (160, 40, 50), (90, 40, 140), (30, 110, 80), (40, 40, 60))
_PENS: tuple[Colour, ...] = ((24, 34, 110), (20, 20, 26), (40, 60, 150))
Layer = Image.Image


def overlaid(rng: random.Random, card: Card, split: Split) -> Card:
    """The same card with some of them, in one of the split's faces."""
    image, file = card.image, rng.choice(FACES[half_of(split)]).bold
    for draw, share in _KINDS:
        if rng.random() < share:
            layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
            draw(rng, layer, card.polygons, file)
            image = Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")
    return Card(image, card.polygons)


def _watermark(rng: random.Random, layer: Layer, polygons: dict[str, Polygon], file: str) -> None:
    """One word across the card, or many in rows."""
    word, angle = rng.choice(_ACROSS), rng.choice((-1, 1)) * rng.uniform(12, 50)
    colour = (*rng.choice(((120, 120, 120), (170, 60, 60), (70, 90, 170))), rng.randrange(36, 96))
    many = rng.random() < 0.6
    text = _text(word, file, rng.randrange(44, 80) if many else rng.randrange(90, 170), colour)
    text = text.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    if not many:
        _put(rng, layer, text)
        return
    across, down = text.width * rng.uniform(1.1, 1.7), text.height * rng.uniform(1.1, 1.9)
    for row in range(math.ceil(layer.height / down)):
        for column in range(math.ceil(layer.width / across)):
            layer.alpha_composite(text, (round((column + row % 2 / 2) * across), round(row * down)))


def _stamp(rng: random.Random, layer: Layer, polygons: dict[str, Polygon], file: str) -> None:
    """Rows of words in a frame or a ring, turned a little."""
    ink = (*rng.choice(_INKS), rng.randrange(80, 150))
    size = rng.randrange(24, 40)
    rows = [_text(row, file, size, ink) for row in rng.choice(_STAMPS)]
    wide, tall = max(row.width for row in rows) + 40, sum(row.height for row in rows) + 36
    ring = rng.random() < 0.5
    side = (wide, round(wide * rng.uniform(0.6, 1.0))) if ring else (wide, tall)
    stamp = Image.new("RGBA", (side[0], max(side[1], tall)), (0, 0, 0, 0))
    pen = ImageDraw.Draw(stamp)
    frame = (3, 3, stamp.width - 4, stamp.height - 4)
    pen.ellipse(frame, outline=ink, width=4) if ring else pen.rectangle(frame, outline=ink, width=4)
    y = (stamp.height - sum(row.height for row in rows)) // 2
    for row in rows:
        stamp.alpha_composite(row, ((stamp.width - row.width) // 2, y))
        y += row.height
    _put(rng, layer, stamp.rotate(rng.uniform(-40, 40), expand=True, resample=Image.Resampling.BICUBIC))


def _signature(rng: random.Random, layer: Layer, polygons: dict[str, Polygon], file: str) -> None:
    """A pen's loops under or over the name of who signs, else somewhere in the lower half."""
    wide, tall = rng.uniform(160, 380), rng.uniform(50, 130)
    ink, width = (*rng.choice(_PENS), rng.randrange(150, 230)), rng.randrange(2, 6)
    box = polygons.get("authorité")
    if box and rng.random() < 0.7:
        left, bottom = box[0][0] + rng.uniform(-20, 80), box[2][1]
        middle = bottom + rng.uniform(-0.1, 0.8) * tall
    else:
        left = rng.uniform(0, max(1.0, layer.width - wide))
        middle = rng.uniform(0.55, 0.95) * layer.height
    pen = ImageDraw.Draw(layer)
    pen.line(_loops(rng, left, middle, wide, tall), fill=ink, width=width)
    if rng.random() < 0.3:
        pen.line(
            [(left, middle + tall * 0.6), (left + wide, middle + tall * rng.uniform(0.4, 0.7))], fill=ink, width=width
        )


def _loops(rng: random.Random, left: float, middle: float, wide: float, tall: float) -> list[tuple[float, float]]:
    """A row of loops as of a quick hand: a large one, then smaller ones, open or closed."""
    count, closed, rise = rng.randrange(3, 10), rng.uniform(-0.2, 0.6), rng.uniform(-0.3, 0.3)
    heights = [rng.uniform(0.7, 1.0), *(rng.uniform(0.2, 0.7) for _ in range(count))]
    points = []
    for step in range(24 * count):
        t = step / 24
        height = heights[int(t)] + (heights[int(t) + 1] - heights[int(t)]) * (t % 1)
        x = (t + closed * math.sin(2 * math.pi * t)) / count
        points.append((left + wide * x, middle + tall * (rise * x - 0.5 * height * math.cos(2 * math.pi * t))))
    return points


def _text(text: str, file: str, size: int, colour: tuple[int, ...]) -> Image.Image:
    font = load(file, size)
    made = Image.new("RGBA", (math.ceil(font.getlength(text)) + 8, round(size * 1.3)), (0, 0, 0, 0))
    ImageDraw.Draw(made).text((4, 0), text, fill=colour, font=font)
    return made


def _put(rng: random.Random, layer: Layer, over: Image.Image) -> None:
    """Anywhere, all of it on the card where there is room."""
    room = max(1, layer.width - over.width), max(1, layer.height - over.height)
    over = over.crop((0, 0, min(over.width, layer.width), min(over.height, layer.height)))
    layer.alpha_composite(over, (rng.randrange(room[0]), rng.randrange(room[1])))


_KINDS: tuple[tuple[Callable[[random.Random, Layer, dict[str, Polygon], str], None], float], ...] = (
    (_watermark, 0.3), (_stamp, 0.25), (_signature, 0.4),
)  # fmt: skip
