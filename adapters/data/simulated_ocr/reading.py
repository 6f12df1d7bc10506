"""A simulated OCR: from a laid-out card to segments, with what a real engine does to lines and their order."""

import random
from collections.abc import Callable

from adapters.data.card_layout import Box, Piece, Role, Sheet
from adapters.data.documents import FieldType
from adapters.data.lines import reading_order
from adapters.data.simulated_ocr.misreadings import Damage, misread_label, misread_number, misread_value, misread_zone
from adapters.data.simulated_ocr.segments import TRAPS, Part, Segment

_SEEN: dict[Role, float] = {
    "title": 0.93, "label": 0.975, "value": 0.994, "other": 0.96, "background": 0.6, "mrz": 0.97, "specimen": 0.8,
}  # fmt: skip
_STRAY = (
    "TRAVAIL",
    "PATRIE",
    "PAIX",
    "CMR",
    "CAMERO",
    "国",
    "口",
    "ال",
    "ﻉ",
    "fh",
    "Jm",
    "~",
    "-",
    "·",
    "AE",
    "R",
    "K",
    "CM",
)


def read_sheet(rng: random.Random, sheet: Sheet, types: dict[str, FieldType]) -> list[Segment]:
    """The segments that OCR would return for the card, in its order."""
    damage = Damage.sample(rng)
    segments = [_read(rng, piece, types, damage) for piece in sheet.pieces if rng.random() < _SEEN[piece.role]]
    for trap in TRAPS:
        segments = trap(rng, segments, damage)
    if sheet.portrait and rng.random() < 0.12:
        segments.append(_head(rng, sheet.portrait))
    segments += [_stray(rng, sheet) for _ in range(rng.choices((0, 1, 2), (70, 22, 8))[0])]
    return ordered(rng, [s for s in segments if s.text or s.score == 0])


def _read(rng: random.Random, piece: Piece, types: dict[str, FieldType], damage: Damage) -> Segment:
    kind = types.get(piece.field or "", "text")
    readers: dict[Role, Callable[[random.Random, str, Damage], str]] = {
        "value": misread_value if kind == "text" else misread_number,
        "other": misread_value,
        "mrz": misread_zone,
    }
    text = readers.get(piece.role, misread_label)(rng, piece.text, damage)
    return Segment((Part(text, piece.field),), piece.role, piece.x, piece.y, round(rng.uniform(0.86, 0.999), 3))


def _stray(rng: random.Random, sheet: Sheet) -> Segment:
    """A blank segment, a stray digit, a background word or another script's character."""
    x, y = rng.uniform(0, sheet.size[0]), rng.uniform(0, sheet.size[1])
    text = rng.choice(("", str(rng.randrange(100)), rng.choice(_STRAY), rng.choice(_STRAY)))
    return Segment((Part(text),), "background", x, y, round(rng.uniform(0.1, 0.6), 3) if text else 0.0)


def _head(rng: random.Random, portrait: Box) -> Segment:
    """The round head of the portrait, read as a letter."""
    at = (portrait[0] + portrait[2]) / 2, portrait[1] + (portrait[3] - portrait[1]) * rng.uniform(0.1, 0.3)
    return Segment((Part(rng.choice("OOOQ0●")),), "background", *at, round(rng.uniform(0.35, 0.9), 3))


def ordered(rng: random.Random, segments: list[Segment]) -> list[Segment]:
    """Reading order of a card that lies a little askew, its boxes a few pixels off."""
    slope = rng.gauss(0, 0.015) if rng.random() < 0.7 else rng.uniform(-0.15, 0.15)
    tops = [((s.x, s.y + s.x * slope + rng.gauss(0, 2)), s) for s in segments]
    return reading_order(tops)
