"""Draws a hard card flat, and says where each value stands."""

import random

from PIL import Image, ImageDraw

from adapters.data.card_layout import Box
from adapters.data.hard.faint import faint_labels
from adapters.data.hard.layout import lay_out
from adapters.data.hard.ornament import background, hologram, portrait
from adapters.data.hard.page import Mark, Page
from adapters.data.hard.style import Style
from adapters.data.lines import Polygon
from adapters.data.people import Record
from adapters.data.render import Card
from adapters.data.vocabulary import Split


def draw_flat(
    rng: random.Random, record: Record, split: Split, style: Style | None = None, *, faint: bool = False
) -> Card:
    """The card as printed, 1,400 pixels long, RGB; `style`: by default one of the split's half; faint: with labels that
    cannot be read."""
    page = lay_out(rng, record, split, style)
    image = _picture(rng, page)
    return Card(faint_labels(rng, image, page) if faint else image, _polygons(page))


def _picture(rng: random.Random, page: Page) -> Image.Image:
    file = page.marks[0].file
    image = background(rng, page.size, file)
    draw = ImageDraw.Draw(image)
    for box, colour in page.strips:
        draw.rectangle(box, fill=colour)
    for box in page.rules:
        draw.rectangle(box, outline=(150, 158, 154), width=2)
    if page.portrait:
        portrait(rng, draw, page.portrait)
    for mark in page.marks:
        draw.text((mark.x, mark.y), mark.text, fill=mark.colour, font=mark.font)
    return hologram(rng, image, file) if rng.random() < 0.6 else image


def _polygons(page: Page) -> dict[str, Polygon]:
    boxes: dict[str, list[Box]] = {}
    for mark in page.marks:
        if mark.field:
            boxes.setdefault(mark.field, []).append(_box(mark))
    return {key: _around(found) for key, found in boxes.items()}


def _box(mark: Mark) -> Box:
    left, top, right, bottom = mark.font.getbbox(mark.text)
    return (mark.x + left, mark.y + top, mark.x + right, mark.y + bottom)


def _around(boxes: list[Box]) -> Polygon:
    """The upright quadrilateral around the boxes, two pixels wider."""
    left, top = min(b[0] for b in boxes) - 2, min(b[1] for b in boxes) - 2
    right, bottom = max(b[2] for b in boxes) + 2, max(b[3] for b in boxes) + 2
    return ((left, top), (right, top), (right, bottom), (left, bottom))
