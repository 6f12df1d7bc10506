"""A simulated OCR: from a laid-out card to segments, with what a real engine does to lines and their order."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.data.documents import FieldType
from adapters.data.lines import reading_order
from adapters.data.misreadings import Damage, misread_label, misread_number, misread_value, misread_zone
from adapters.data.sheet import CHAR_WIDTH, Piece, Role, Sheet

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


@dataclass(frozen=True)
class Part:
    """A run of text that belongs to one field, or to none."""

    text: str
    field: str | None = None


@dataclass(frozen=True)
class Segment:
    """One OCR line: its parts from left to right, and where it stands."""

    parts: tuple[Part, ...]
    role: Role
    x: float
    y: float
    score: float = 0.98

    @property
    def text(self) -> str:
        return " ".join(part.text for part in self.parts)


def read_sheet(rng: random.Random, sheet: Sheet, types: dict[str, FieldType]) -> list[Segment]:
    """The segments that OCR would return for the card, in its order."""
    damage = Damage.sample(rng)
    segments = [_read(rng, piece, types, damage) for piece in sheet.pieces if rng.random() < _SEEN[piece.role]]
    for trap in (_merge_rows, _merge_label_and_value, _swap_label_and_value, _split_labels, _split_values, _merge_zone):
        segments = trap(rng, segments, damage)
    segments += [_stray(rng, sheet) for _ in range(rng.choices((0, 1, 2), (70, 22, 8))[0])]
    return _ordered(rng, [s for s in segments if s.text or s.score == 0])


def _read(rng: random.Random, piece: Piece, types: dict[str, FieldType], damage: Damage) -> Segment:
    kind = types.get(piece.field or "", "text")
    readers: dict[Role, Callable[[random.Random, str, Damage], str]] = {
        "value": misread_value if kind == "text" else misread_number,
        "other": misread_value,
        "mrz": misread_zone,
    }
    text = readers.get(piece.role, misread_label)(rng, piece.text, damage)
    return Segment((Part(text, piece.field),), piece.role, piece.x, piece.y, round(rng.uniform(0.86, 0.999), 3))


def _pairs(segments: list[Segment], first: Role, second: Role) -> list[int]:
    """Indices i where segment i has the first role and i + 1 the second."""
    return [i for i in range(len(segments) - 1) if (segments[i].role, segments[i + 1].role) == (first, second)]


def _merge_rows(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """`SEXE/SEX` and `TAILLE/HEIGHT` come as one segment, and now and then their two values too."""
    out = list(segments)
    for role, rate in (("label", 0.05 + damage.tail * 4), ("value", 0.01 + damage.tail)):
        for i, left in enumerate(out):
            for right in out[i + 1 : i + 4]:
                if left.role == right.role == role and _one_row(left, right) and rng.random() < rate:
                    out.remove(right)
                    out[i] = replace(left, parts=left.parts + right.parts)
                    break
    return out


def _one_row(left: Segment, right: Segment) -> bool:
    return abs(left.y - right.y) < 9 and 0 < right.x - left.x < 320 and len(left.text) + len(right.text) < 34


def _merge_label_and_value(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A label and its value come as one segment; more often where they stand side by side."""
    out = list(segments)
    for i in reversed(_pairs(out, "label", "value")):
        side_by_side = abs(out[i].y - out[i + 1].y) < 12
        if rng.random() < (0.15 if side_by_side else 0.012):
            out[i : i + 2] = [replace(out[i], parts=out[i].parts + out[i + 1].parts)]
    return out


def _swap_label_and_value(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A value stands above its label."""
    out = list(segments)
    for i in _pairs(out, "label", "value"):
        if rng.random() < 0.015 + damage.tail * 0.4:
            out[i], out[i + 1] = replace(out[i], y=out[i + 1].y), replace(out[i + 1], y=out[i].y)
    return out


def _split_labels(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A bilingual label comes in two halves, each finding its own place among the other lines."""
    out: list[Segment] = []
    for segment in segments:
        head, slash, tail = segment.text.partition("/")
        if segment.role != "label" or len(segment.parts) > 1 or not tail or rng.random() > 0.03 + damage.tail * 2:
            out.append(segment)
            continue
        head += slash if rng.random() < 0.6 else ""
        x = segment.x + 18 * CHAR_WIDTH * len(head)
        out.append(replace(segment, parts=(Part(head.strip()),)))
        out.append(replace(segment, parts=(Part(tail.strip()),), x=x, y=segment.y + rng.uniform(-14, 14)))
    return out


def _split_values(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A long value comes in two segments, cut at a space."""
    out: list[Segment] = []
    for segment in segments:
        words = segment.text.split(" ")
        if segment.role != "value" or len(segment.parts) > 1 or len(words) < 2 or rng.random() > 0.012:
            out.append(segment)
            continue
        cut, field = rng.randrange(1, len(words)), segment.parts[0].field
        head, tail = " ".join(words[:cut]), " ".join(words[cut:])
        out.append(replace(segment, parts=(Part(head, field),)))
        out.append(replace(segment, parts=(Part(tail, field),), x=segment.x + 26 * CHAR_WIDTH * len(head)))
    return out


def _merge_zone(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """Two lines of the machine-readable zone come as one."""
    zone = [s for s in segments if s.role == "mrz"]
    if len(zone) < 2 or rng.random() > 0.04 + damage.tail:
        return segments
    i = rng.randrange(len(zone) - 1)
    merged = replace(zone[i], parts=(Part(zone[i].text + zone[i + 1].text),))
    return [merged if s is zone[i] else s for s in segments if s is not zone[i + 1]]


def _stray(rng: random.Random, sheet: Sheet) -> Segment:
    """A blank segment, a stray digit, a background word or another script's character."""
    x, y = rng.uniform(0, sheet.size[0]), rng.uniform(0, sheet.size[1])
    text = rng.choice(("", str(rng.randrange(100)), rng.choice(_STRAY), rng.choice(_STRAY)))
    return Segment((Part(text),), "background", x, y, round(rng.uniform(0.1, 0.6), 3) if text else 0.0)


def _ordered(rng: random.Random, segments: list[Segment]) -> list[Segment]:
    """Reading order of a card that lies a little askew, its boxes a few pixels off."""
    slope = rng.gauss(0, 0.015) if rng.random() < 0.7 else rng.uniform(-0.15, 0.15)
    tops = [((s.x, s.y + s.x * slope + rng.gauss(0, 2)), s) for s in segments]
    return reading_order(tops)
