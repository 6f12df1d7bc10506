"""Draws a sheet with Pillow, and says where each value stands."""

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from adapters.data.card_layout import Box, Piece, Sheet
from adapters.data.fonts import Family, load, mono_file, pick_family
from adapters.data.lines import Polygon
from adapters.data.vocabulary import Split

Colour = tuple[int, int, int]
_TINTS: tuple[tuple[Colour, Colour], ...] = (
    ((238, 243, 232), (222, 236, 226)),
    ((244, 240, 228), (236, 228, 212)),
    ((232, 240, 246), (220, 228, 240)),
    ((245, 236, 236), (232, 238, 226)),
    ((242, 242, 240), (228, 230, 232)),
)
_MIN_SCALE = 0.62
# Extra room between words, in units of the font size: identity cards set names wide, book fonts set spaces narrow.
_WORD_GAP = 0.12


@dataclass(frozen=True)
class Card:
    """A drawn card, and each shown value's quadrilateral (field -> four corners in pixels, clockwise from top left)."""

    image: Image.Image
    polygons: dict[str, Polygon]


@dataclass(frozen=True)
class _Ink:
    """One card's colours and faces."""

    family: Family
    mono: str
    value: Colour
    label: Colour
    faint: Colour
    bold_labels: bool
    bold_values: bool
    spacing: float


def render(rng: random.Random, sheet: Sheet, split: Split) -> Card:
    """The card as an RGB image of the sheet's size."""
    ink = _sample_ink(rng, split)
    tint = rng.choice(_TINTS)
    image = _background(sheet.size, tint)
    draw = ImageDraw.Draw(image)
    if sheet.portrait:
        _placeholder(draw, sheet.portrait, rng)
    boxes: dict[str, list[Box]] = {}
    for piece in sorted(sheet.pieces, key=lambda p: p.role not in ("background", "specimen")):
        box = _write(draw, piece, ink)
        if piece.field:
            boxes.setdefault(piece.field, []).append(box)
    return Card(image, {field: _around(found) for field, found in boxes.items()})


def _sample_ink(rng: random.Random, split: Split) -> _Ink:
    dark = rng.randrange(10, 60)
    label = rng.choice(((30, 70, 50), (60, 60, 60), (40, 50, 90), (90, 40, 40)))
    return _Ink(
        family=pick_family(rng, split),
        mono=mono_file(split),
        value=(dark, dark, dark + rng.randrange(0, 25)),
        label=label,
        faint=rng.choice(((196, 206, 196), (206, 200, 190), (196, 202, 210))),
        bold_labels=rng.random() < 0.25,
        bold_values=rng.random() < 0.6,
        spacing=rng.choice((0.0, 0.0, 0.0, 0.04, 0.08)),
    )


def _background(size: tuple[int, int], tint: tuple[Colour, Colour]) -> Image.Image:
    """A plain gradient between two light tints."""
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, tint[0]), Image.new("RGB", size, tint[1]), mask)


def _placeholder(draw: ImageDraw.ImageDraw, box: Box, rng: random.Random) -> None:
    """A grey head and shoulders: no face, nobody's."""
    left, top, right, bottom = box
    width, height, grey = right - left, bottom - top, rng.randrange(150, 190)
    draw.rectangle(box, fill=(grey + 40, grey + 40, grey + 40))
    draw.ellipse((left + width * 0.3, top + height * 0.16, right - width * 0.3, top + height * 0.6), fill=(grey,) * 3)
    shoulders = (left + width * 0.1, top + height * 0.62, right - width * 0.1, bottom + height * 0.38)
    draw.pieslice(shoulders, 180, 360, fill=(grey,) * 3)


def _write(draw: ImageDraw.ImageDraw, piece: Piece, ink: _Ink) -> Box:
    """Draws one piece, smaller where it would not fit; returns the ink's box."""
    file, colour = _face(piece, ink)
    spacing = ink.spacing if piece.role == "value" else 0.0
    size = max(9, round(piece.size))
    font = load(file, size)
    length = _length(font, piece.text, size * spacing)
    if length > piece.width:
        size = max(9, int(size * max(_MIN_SCALE, piece.width / length)))
        font = load(file, size)
        spacing = 0.0
    return _draw_text(draw, piece, font, colour, size * spacing)


def _face(piece: Piece, ink: _Ink) -> tuple[str, Colour]:
    """The font file and colour of a role."""
    family = ink.family
    match piece.role:
        case "value" | "other":
            return family.bold if ink.bold_values else family.regular, ink.value
        case "mrz":
            return ink.mono, ink.value
        case "background" | "specimen":
            return family.bold, ink.faint
        case "title":
            return family.bold, ink.label
        case _:
            return family.bold if ink.bold_labels else family.regular, ink.label


def _length(font: ImageFont.FreeTypeFont, text: str, gap: float) -> float:
    words = text.count(" ") * (_WORD_GAP * font.size + 2 * gap)
    return font.getlength(text) + gap * max(0, len(text) - 1) + words


def _draw_text(
    draw: ImageDraw.ImageDraw, piece: Piece, font: ImageFont.FreeTypeFont, colour: Colour, gap: float
) -> Box:
    """Draws a run word by word, letter by letter where it is spaced; returns the ink's box."""
    x, boxes = piece.x, []
    for word in piece.text.split(" "):
        boxes.append(draw.textbbox((x, piece.y), word, font=font))
        for run in word if gap else (word,):
            draw.text((x, piece.y), run, fill=colour, font=font)
            x += font.getlength(run) + gap
        x += font.getlength(" ") + _WORD_GAP * font.size + 2 * gap
    end = x - font.getlength(" ") - _WORD_GAP * font.size - 3 * gap
    left, top, right, bottom = (f(edge) for f, edge in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
    return left, top, max(right, end), bottom


def _around(boxes: list[Box]) -> Polygon:
    """The upright quadrilateral around the boxes, two pixels wider."""
    left, top = min(b[0] for b in boxes) - 2, min(b[1] for b in boxes) - 2
    right, bottom = max(b[2] for b in boxes) + 2, max(b[3] for b in boxes) + 2
    return ((left, top), (right, top), (right, bottom), (left, bottom))
