"""Fills a page of one of the four documents in the way of a family."""

import random
from collections.abc import Sequence
from typing import Literal

from adapters.data.fonts import load
from adapters.data.hard.blocks import above
from adapters.data.hard.entries import SHORT_KEYS, Row, entries_of, rows_of
from adapters.data.hard.families import Family
from adapters.data.hard.look import Look, sample_look
from adapters.data.hard.page import Page
from adapters.data.hard.setter import Entry, Setter
from adapters.data.hard.style import Style, style_of
from adapters.data.people import Record
from adapters.data.vocabulary import Split

LONG, SHORT = 1400, 883
_TITLES = (
    ("REPUBLIQUE DU CAMEROUN", "REPUBLIC OF CAMEROON"),
    ("RÉPUBLIQUE DU CAMEROUN", "Republic of Cameroon"),
    ("REPUBLIQUE DU CAMEROUN - REPUBLIC OF CAMEROON", "Paix - Travail - Patrie"),
    ("CARTE NATIONALE D'IDENTITE", "NATIONAL IDENTITY CARD"),
    ("CAMEROUN CAMEROON", "CARTE NATIONALE D'IDENTITE"),
)
Side = Literal["left", "right", "top", "none"]


def lay_out(rng: random.Random, record: Record, split: Split, style: Style | None = None) -> Page:
    """A page whose text fits; print becomes smaller until it does. `style`: else one of the split's half."""
    style = style or style_of(rng, split)
    family, look = style.family, sample_look(rng, split)
    rows = rows_of(rng, family, entries_of(rng, record, style))
    state = rng.getrandbits(60)
    for _ in range(8):
        page, bottom = _fill(random.Random(state), record, family, look, rows)
        if bottom <= page.size[1] - 14:
            break
        look = look.smaller(0.93)
    return page


def _fill(rng: random.Random, record: Record, family: Family, look: Look, rows: Sequence[Row]) -> tuple[Page, float]:
    """The page, and the y of its lowest entry plus what must stand under it."""
    wide = record.document.startswith("cni-2018")
    page = Page((LONG, SHORT) if wide else (SHORT, LONG))
    setter = Setter(page, look, family.leading, family.spaces)
    margin = rng.uniform(30, 64)
    y = _titles(rng, setter, margin)
    left, right = margin, page.size[0] - margin
    side: Side = "none"
    if record.document.endswith("recto"):
        side = rng.choice(("left", "right")) if wide else "top"
    left, right, y = _portrait(rng, page, side, left, right, y)
    zone = [record.extras[f"mrz{i}"] for i in (1, 2, 3)] if "mrz1" in record.extras else []
    free = page.size[1] - y - 30 - (170 if zone else 0)
    used = _place(rng, setter, family, rows, left, right, y, gap=0) - y
    page.marks = [mark for mark in page.marks if mark.role == "title"]
    page.strips, page.rules = [], []
    gap = max(
        look.value * 0.16,
        min(look.value * look.spacing * 2.4, (free - used) / max(1, len(rows)) * rng.uniform(0.6, 1.0)),
    )
    bottom = _place(rng, setter, family, rows, left, right, y, gap=gap)
    if zone:
        _zone(rng, setter, zone)
        bottom += 160
    elif rng.random() < 0.5 and bottom < page.size[1] - look.label * 2.5:
        setter.label(Entry("signature", ("SIGNATURE", ""), None, None), left, bottom + 4, right - left)
    return page, bottom


def _place(
    rng: random.Random, s: Setter, family: Family, rows: Sequence[Row], left: float, right: float, y: float, gap: float
) -> float:
    for number, row in enumerate(rows):
        indent = family.stagger if number % 2 else 0.0
        width = (right - left - indent) / len(row)
        ends = [y]
        for place, entry in enumerate(row):
            x = left + indent + place * width
            room = width - (24 if place < len(row) - 1 else 0)
            if entry.key not in SHORT_KEYS and len(row) == 1:
                room *= family.narrow
            block = family.block if entry.label is not None else above
            ends.append(block(s, entry, x, y, room))
        y = max(ends) + gap
    return y - gap


def _titles(rng: random.Random, s: Setter, margin: float) -> float:
    """The card's head; the y below it."""
    first, second = rng.choice(_TITLES)
    size, width = round(s.look.label * rng.uniform(0.95, 1.15)), s.page.size[0]
    file = s.look.face.bold
    y = rng.uniform(18, 34)
    one, two = (load(file, size).getlength(text) for text in (first, second))
    if one + two + 3 * margin < width:
        s.put(first, margin, y, size, file, "title")
        s.put(second, width - margin - two, y + rng.uniform(0, 6), size, file, "title")
        return y + size * 1.7
    s.put(first, margin, y, size, file, "title")
    s.put(second, margin, y + size * 1.25, size, file, "title")
    return y + size * 2.9


def _portrait(
    rng: random.Random, page: Page, side: Side, left: float, right: float, y: float
) -> tuple[float, float, float]:
    """Where the portrait's placeholder stands; left, right and top of what is free for text."""
    if side == "none":
        return left, right, y
    if side == "top":
        x = rng.choice((left, right - 250, (left + right - 250) / 2))
        page.portrait = (x, y, x + 250, y + 320)
        return left, right, y + 340
    width = rng.uniform(270, 340)
    x = left if side == "left" else right - width
    page.portrait = (x, y + 20, x + width, y + 20 + width * 1.28)
    return (left + width + 40, right, y) if side == "left" else (left, right - width - 40, y)


def _zone(rng: random.Random, s: Setter, lines: Sequence[str]) -> None:
    """The machine-readable zone across the foot of the page."""
    width, height = s.page.size
    size = 40
    while load(s.look.mono, size).getlength(lines[0]) > width - 60:
        size -= 1
    top = height - 150 + rng.uniform(-6, 6)
    for number, line in enumerate(lines):
        s.put(
            line, (width - load(s.look.mono, size).getlength(lines[0])) / 2, top + number * 46, size, s.look.mono, "mrz"
        )
